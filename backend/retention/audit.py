"""Run-time settings that remember who changed them.

The place where django-constance writes a value is the one that all ways of changing it go through:
its admin page, ``manage.py constance set``, and code. So the record is made there, in one
transaction with the change.
"""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from constance import settings
from constance.backends.database import DatabaseBackend
from constance.codecs import dumps
from django.db import transaction

from retention.models import SettingChange

_who: ContextVar[str | None] = ContextVar("settings_changed_by", default=None)


@contextmanager
def changes_by(username: str) -> Iterator[None]:
    """Record what is changed inside the block as done by *username*."""
    token = _who.set(username)
    try:
        yield
    finally:
        _who.reset(token)


class AuditedBackend(DatabaseBackend):
    """Keeps the settings in the database, with a SettingChange for each change."""

    def get(self, key: str) -> Any:
        """Return the value of *key*, its default if none is stored.

        Without the default, constance would store it at the first read, and could so overwrite what
        somebody sets in that moment.
        """
        value = super().get(key)
        return settings.CONFIG[key][0] if value is None else value

    async def aget(self, key: str) -> Any:
        """Return the same as ``get``."""
        value = await super().aget(key)
        return settings.CONFIG[key][0] if value is None else value

    def set(self, key: str, value: Any) -> None:
        """Store *value* and, if it is another than before, who changed it and from what."""
        with transaction.atomic():
            # The lock on the row, made for it if need be, lets two who change it at once see each other's value.
            stored = self.add_prefix(key)
            default = dumps(settings.CONFIG[key][0])
            row, _ = self._model.objects.get_or_create(key=stored, defaults={"value": default})
            self._model.objects.select_for_update().get(pk=row.pk)
            old = self.get(key)
            super().set(key, value)
            if old != value:
                SettingChange.objects.create(
                    setting=key, old=str(old), new=str(value), who=_who.get() or _system_user()
                )


def _system_user() -> str:
    """Return the user that this process runs as. The space tells it from a name of the admin, which has none."""
    uid = os.getuid()
    try:
        return f"system user {pwd.getpwuid(uid).pw_name}"
    except KeyError:  # as in containers
        return f"system user {uid}"
