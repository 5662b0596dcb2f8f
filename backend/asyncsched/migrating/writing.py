"""The text of a ``tasks.py`` that does what was found, for a person to review. Pure."""

import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import replace

from asyncsched.migrating import conditions
from asyncsched.migrating.code import STEP, WIDTH, Call, imports_of, text_of
from asyncsched.migrating.found import Found, LeftOut
from asyncsched.migrating.naming import free, function_names

LIBRARIES = ("asgiref", "asyncsched", "celery", "django", "django_celery_beat")
"""Other people's modules, which stand before the project's."""


def written(found: Sequence[Found], left_out: Sequence[LeftOut], *, scheduler: str) -> str:
    """Return the module for *found*, which have names of their own; *scheduler* is what they come from.

    What is left out stands at its end, in comments.
    """
    parts = [f'"""The schedules of {scheduler}, by async_tasks import: to be reviewed."""\n']
    imports = _needed(found) if found else set()
    if imports:
        parts.append(import_block(imports))
    names = function_names([(one.name, one.call) for one in found], bound(imports))
    for name, one in zip(names, found, strict=True):
        if one.conditions:
            condition = free(f"{name}_is_due", set(names))
            parts.append(f"\n{conditions.function(condition, one.conditions, one.zone)}")
            parts.append(f"\n{_function(_asking(one, condition), name)}")
        else:
            parts.append(f"\n{_function(one, name)}")
    if left_out:
        parts.append("\n# Not imported:")
    parts += [_left_out(one) for one in left_out]
    return "\n".join(parts).rstrip("\n") + "\n"


def comment(text: str, *, indent: str = "") -> str:
    """Return *text* as comment lines, each ended."""
    lines = textwrap.wrap(text, WIDTH - 2, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines)


def _asking(one: Found, condition: str) -> Found:
    """Return *one* with the function *condition* as a condition, and a remark on it."""
    words = " and ".join(part.words for part in one.conditions)
    remark = f"Runs {words}. That is asked before each run; those that it turns down are skipped in the history."
    options = {**one.options, "enabled_when": Call(function=condition, arguments=None)}
    return replace(one, options=options, remarks=(*one.remarks, remark))


def _function(one: Found, name: str) -> str:
    """Return the registered function, after the remarks on it."""
    options = [f"{option}={text_of(value)}" for option, value in one.options.items()]
    decorator = Call(function="register", arguments=(text_of(one.name), text_of(one.schedule), *options))
    return "".join(
        [
            comment(f"From {one.source}."),
            *(comment(f"- {remark}", indent="  ") for remark in one.remarks),
            decorator.laid_out("@"),
            f"\n{'async ' if one.is_async else ''}def {name}() -> object:\n",
            f"{STEP}{docstring(one.description)}\n" if one.description else "",
            one.call.laid_out("return await " if one.is_async else "return ", indent=STEP),
            "\n",
        ]
    )


def _left_out(one: LeftOut) -> str:
    whence = "" if one.source == one.name else f", from {one.source}"
    return comment(f"- {one.name}{whence}: {one.problem}", indent="  ").rstrip("\n")


def docstring(text: str) -> str:
    """Return *text* as a docstring of one line."""
    escaped = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    shown = "".join(letter if letter.isprintable() else " " for letter in escaped)
    return f'"""{shown}"""'


def _needed(found: Iterable[Found]) -> set[str]:
    lines = {"from asyncsched import register"}
    for one in found:
        lines.update(imports_of([one.call, one.schedule, *one.options.values()]))
        lines.update(conditions.imports(one.conditions, one.zone))
    return lines


def _root(line: str) -> str:
    return line.split()[1].partition(".")[0]


def bound(imports: Iterable[str]) -> set[str]:
    """Return the names that these statements bind."""
    return {line.rsplit(maxsplit=1)[-1] if line.startswith("from ") else _root(line) for line in imports}


def import_block(lines: set[str]) -> str:
    """Return the imports, sorted, in three groups: the standard library's, libraries', and the project's."""
    standard = {line for line in lines if _root(line) in sys.stdlib_module_names}
    libraries = {line for line in lines if _root(line) in LIBRARIES}
    return "\n".join(map(_group, filter(None, (standard, libraries, lines - standard - libraries))))


def _group(lines: set[str]) -> str:
    """Return a group: whole modules first, then what is taken from them, in one line for each module."""
    taken: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("from "):
            _, module, _, name = line.split()
            taken.setdefault(module, []).append(name)
    whole = sorted(line for line in lines if line.startswith("import "))
    parts = [f"from {module} import {', '.join(sorted(taken[module]))}" for module in sorted(taken)]
    return "".join(f"{line}\n" for line in [*whole, *parts])
