"""The demo's database: tables, an account, rules. Made once, by the alarm backend's own means."""

import json
import os
import sys
from io import StringIO
from pathlib import Path
from typing import Any

BACKEND = Path(__file__).resolve().parent.parent / "backend"
DELAYS = {"ALARM_EXIT_DELAY": 6, "ALARM_ENTRY_DELAY": 8}  # seconds; Alex needs no more
RULES = Path(__file__).with_name("rules.json")


def prepare(*, speed: float = 1.0) -> str:
    """Bring the database of DATABASE_URL up to date; return the line that tells a new admin's password, or "".

    A database without rules gets those of ``rules.json``, and an alarm that waits for seconds, not
    minutes. All that is waited for is shorter by *speed*, as all that happens is.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    sys.path.insert(0, str(BACKEND))
    import django  # noqa: PLC0415 - it reads the environment, which is only now complete
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    django.setup()
    call_command("migrate", verbosity=0)
    printed = StringIO()
    call_command("ensure_admin", stdout=printed)
    furnish(speed=speed)
    connection.close()
    return printed.getvalue().strip()


def furnish(*, speed: float = 1.0) -> int:
    """Add rules and delays if there are no rules yet; return how many rules were added.

    Raises:
        ValidationError: if a definition is not valid.
    """
    from constance import config  # noqa: PLC0415 - these need Django set up
    from django.db import transaction  # noqa: PLC0415

    from rules.models import Rule  # noqa: PLC0415

    if Rule.objects.exists():
        return 0
    rules = [Rule(**_faster(fields, speed)) for fields in json.loads(RULES.read_text(encoding="utf-8"))]
    with transaction.atomic():
        for rule in rules:
            rule.full_clean()
            rule.save()
        for name, seconds in DELAYS.items():
            setattr(config, name, _scaled(seconds, speed))
    return len(rules)


def _faster(fields: dict[str, Any], speed: float) -> dict[str, Any]:
    definition = fields["definition"]
    if "for" in definition:
        definition = definition | {"for": _scaled(definition["for"], speed)}
    return fields | {"definition": definition, "cooldown_seconds": round(fields.get("cooldown_seconds", 0) / speed)}


def _scaled(seconds: int, speed: float) -> int:
    return max(1, round(seconds / speed))
