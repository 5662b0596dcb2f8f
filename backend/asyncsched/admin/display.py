"""How the admin shows what rows hold: moments to the second, long texts as they were written, links."""

import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe

NOTHING = "-"
WORD_BREAK = mark_safe("<wbr>")


def moment(value: datetime | None) -> str:
    """Return *value* to the second in the project's zone; Django's own format has no seconds."""
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S %Z}" if value else NOTHING


def moment_of(column: str, title: str = "") -> Callable[[Any], str]:
    """Return a column of a list, or a field of a page, with the moment that rows hold under *column*."""

    @admin.display(description=title or column.removesuffix("_at").replace("_", " "), ordering=column)
    def shown(row: Any) -> str:
        value = getattr(row, column)
        if value is None:
            return NOTHING
        day, clock = moment(value).split(" ", 1)
        form = '<time datetime="{}"><span>{}</span> <span>{}</span></time>'  # may be broken there, and only there
        return format_html(form, value.isoformat(), day, clock)

    shown.__name__ = column
    return shown


def name_of(column: str) -> Callable[[Any], str]:
    """Return a column of a list with a name, such as a task's, that may be broken after its ``_`` and ``.``."""

    @admin.display(description=column, ordering=column)
    def shown(row: Any) -> str:
        return format_html_join(WORD_BREAK, "{}", ((part,) for part in re.split(r"(?<=[._])", getattr(row, column))))

    return shown


def verbatim(text: str | None) -> str:
    """Return *text* as it was written, with its lines and indents."""
    return format_html('<pre class="verbatim">{}</pre>', text) if text else NOTHING


def indented(value: object) -> str:
    """Return decoded JSON as people write it."""
    return verbatim(json.dumps(value, indent=2, ensure_ascii=False)) if value else NOTHING


def reference(text: str) -> str:
    """Return *text*; if it names a record of the admin, such as ``rule:12``, as a link to it."""
    kind, _, rest = text.partition(":")
    pk, name = rest.partition(":")[0], kind.replace("-", "")
    if pk.isdecimal():
        for model in apps.get_models():
            if model._meta.model_name == name and model is not get_user_model():  # people are told by their names
                address = page(f"admin:{model._meta.app_label}_{name}_change", pk)
                return format_html('<a href="{}">{}</a>', address, text) if address else text
    return text


def page(name: str, *args: object, **query: str | int) -> str | None:
    """Return the address of the page that is called *name*; None where the project has no such page."""
    try:
        address = reverse(name, args=args)
    except NoReverseMatch:
        return None
    return f"{address}?{urlencode(query)}" if query else address


def links(pages: Iterable[tuple[str, str | None]]) -> SafeString:
    """Return links, by what they are called, to those of *pages* that exist."""
    return format_html_join(
        " \N{MIDDLE DOT} ", '<a href="{}">{}</a>', ((address, words) for words, address in pages if address)
    )
