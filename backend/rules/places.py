"""Where in a JSON text a place such as ``when.all[1].state`` is. Pure."""

import json
import re
from collections.abc import Iterator
from typing import cast

SPACE = re.compile(r"[ \t\n\r]*")
PART = re.compile(r"\[(\d+)\]|([^.\[]+)")
Part = int | str


def line_of(text: str, place: str) -> int:
    """Return the line, from 1, at which *place* begins in *text*, which must be JSON.

    Of what is not there, such as a key that is missing, it is the line of what it is missing from.
    """
    where = start = _skip(text, 0)
    for part in _parts(place):
        found = [(key, value) for name, key, value in _members(text, start) if name == part]
        if not found:
            break
        where, start = found[-1]  # of a key that is there twice, JSON takes the last
    return text.count("\n", 0, where) + 1


def _parts(place: str) -> Iterator[Part]:
    for index, name in PART.findall(place):
        yield int(index) if index else name


def _members(text: str, start: int) -> Iterator[tuple[Part, int, int]]:
    """Yield what lies directly in the value at *start*: its name or number, where it and where its value begins."""
    if text[start] not in "{[":
        return
    is_object, at, number = text[start] == "{", _skip(text, start + 1), 0
    while text[at] not in "}]":
        key, name = at, number
        if is_object:
            name, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)  # over the colon
        yield name, key, at
        at = _skip(text, _DECODER.raw_decode(text, at)[1])
        at, number = _skip(text, at + 1) if text[at] == "," else at, number + 1


def _skip(text: str, at: int) -> int:
    """Return where the next thing after white space begins."""
    return cast("re.Match[str]", SPACE.match(text, at)).end()  # it matches even nothing


_DECODER = json.JSONDecoder()
