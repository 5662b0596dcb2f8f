"""Arguments of jobs, as code."""

import ast
from collections.abc import Iterable, Mapping

from asyncsched.migrating.code import text_of


def unwritable(args: Iterable[object], kwargs: Mapping[str, object]) -> str:
    """Return why these arguments cannot be written as code, and what to do instead; nothing if they can."""
    for value in (*args, *kwargs.values()):
        if not _is_literal(value):
            return f"its argument {value!r} cannot be written as code: register a function of your own that makes it"
    return ""


def _is_literal(value: object) -> bool:
    try:
        return bool(ast.literal_eval(text_of(value)) == value)
    except (ValueError, SyntaxError):
        return False
