"""``manage.py rules …``: adapts the command line, nothing else."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from rules import definitions, listing, words
from rules.definitions import DefinitionError
from rules.explain import explain
from rules.models import Rule

FAILED, USAGE = 1, 2


class Command(BaseCommand):
    """List rules, explain why one would fire or not, check a definition."""

    help = "List rules, explain why one would fire or not, check a definition."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True, metavar="{list,test,validate,schema}")
        listed = commands.add_parser("list", help="every rule, how it stands and when it fired last")
        listed.add_argument("--json", action="store_true", help="for programs: a JSON array")
        tested = commands.add_parser("test", help="explain why a rule would fire or not; exits with 1 if not")
        tested.add_argument("rule", metavar="RULE", help="its name")
        tested.add_argument("--at", type=_moment, metavar="T", help="ISO 8601; now by default")
        tested.add_argument(
            "--set", action="append", default=[], type=_state, metavar="ENTITY=STATE", help="suppose this state"
        )
        tested.add_argument("--json", action="store_true", help="for programs: a JSON object")
        checked = commands.add_parser("validate", help="check a definition; exits with 1 and the place if it is wrong")
        checked.add_argument("file", metavar="FILE", help="a JSON file; - for standard input")
        commands.add_parser("schema", help="the JSON Schema of definitions")

    def handle(self, *args: Any, subcommand: str, **options: Any) -> None:
        if subcommand == "list":
            self._list(as_json=options["json"])
        elif subcommand == "test":
            self._test(options["rule"], at=options["at"], states=dict(options["set"]), as_json=options["json"])
        elif subcommand == "validate":
            self._validate(options["file"])
        else:
            self._print_json(definitions.json_schema())

    def _list(self, *, as_json: bool) -> None:
        standings = listing.standings()
        if as_json:
            self._print_json([one.as_json() for one in standings])
        elif standings:
            now = timezone.now()
            self.stdout.write(listing.table([listing.HEADER, *(one.cells(now) for one in standings)]))
        else:
            self.stdout.write("There are no rules yet: write one in the admin.")

    def _test(self, name: str, *, at: datetime | None, states: dict[str, str], as_json: bool) -> None:
        try:
            explanation = explain(_find(name), at or timezone.now(), states=states, is_now=at is None)
        except DefinitionError as error:
            raise CommandError(f"the rule cannot be executed: {error}", returncode=FAILED) from None
        if as_json:
            self._print_json(explanation.as_json())
        else:
            self.stdout.write("\n".join(explanation.lines()))
        if explanation.fires_at is None:
            raise SystemExit(FAILED)

    def _validate(self, file: str) -> None:
        try:
            text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
            definition = definitions.parse(json.loads(text))
        except DefinitionError as error:
            raise CommandError(str(error), returncode=FAILED) from None
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}", returncode=USAGE) from None
        except (ValueError, RecursionError) as error:  # not JSON, not UTF-8, or brackets without end
            raise CommandError(f"{file}: is not JSON: {error}", returncode=FAILED) from None
        actions = "\n".join(f"  {number}. {words.of_action(one)}" for number, one in enumerate(definition.then, 1))
        self.stdout.write(f"The definition is valid. Its actions:\n{actions}")

    def _print_json(self, value: object) -> None:
        self.stdout.write(json.dumps(value, indent=2, ensure_ascii=False))


def _find(name: str) -> Rule:
    rule = Rule.objects.filter(name=name).first()
    if rule is None:
        names = list(Rule.objects.values_list("name", flat=True))
        near = get_close_matches(name, names, 1)
        meant = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(names) or 'none'}"
        raise CommandError(f"no rule {name!r}; {meant}", returncode=USAGE)
    return rule


def _state(text: str) -> tuple[str, str]:
    entity_id, is_given, state = text.partition("=")
    if not is_given or not definitions.entity_ids({"entity_id": entity_id}):
        raise ArgumentTypeError(f"{text!r} is not like binary_sensor.door=on")
    return entity_id, state


def _moment(text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a time such as 2026-11-24T03:00 or 2026-11-24T03:00+01:00") from None
    return value if timezone.is_aware(value) else timezone.make_aware(value)
