"""Names that are valid for tasks and functions, and not taken."""

import builtins
import keyword
import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace

from asyncsched.migrating.code import Call, is_importable
from asyncsched.migrating.found import Definition, LeftOut
from asyncsched.registry import MAX_NAME_LENGTH, OWN


def named(definitions: Iterable[Definition]) -> list[Definition]:
    """Return *definitions*, those found under names that ``register`` takes, and each once.

    The second ``report`` is ``report_2``. Left out is what lies where no import statement leads.
    """
    taken: set[str] = set()
    result: list[Definition] = []
    for one in definitions:
        if isinstance(one, LeftOut):
            result.append(one)
            continue
        if away := [line for line in one.call.imports if not is_importable(line.split()[1])]:
            problem = f"no module can say '{away[0]}': rename that one, or write the task by hand"
            result.append(LeftOut(name=one.name, source=one.source, problem=problem))
            continue
        name = "".join(letter if letter.isprintable() else " " for letter in one.name).strip()
        if name.startswith(OWN):
            name = name.removeprefix(OWN)
        name = free(name or "task", taken, most=MAX_NAME_LENGTH)
        taken.add(name)
        result.append(replace(one, name=name))
    return result


def function_names(tasks: Sequence[tuple[str, Call]], bound: Set[str]) -> list[str]:
    """Return an identifier for each of *tasks*, which are names and what is called for them: each once, none *bound*.

    None is that of a function that is called: the module may become a part of the one that has it.
    """
    hidden = set(dir(builtins)).union(*(call.called for _, call in tasks))
    taken = set(bound)
    result = []
    for name, _ in tasks:
        word = function_name(name)
        result.append(free(f"scheduled_{word}" if word in hidden else word, taken))
        taken.add(result[-1])
    return result


def function_name(name: str) -> str:
    """Return an identifier for the function of the task *name*."""
    last = re.split(r"[./:]", name.strip("./: "))[-1]
    word = re.sub(r"\W+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", last)).strip("_").lower()
    if not word or word[0].isdigit() or keyword.iskeyword(word):
        word = f"task_{word}".rstrip("_")
    return word


def free(name: str, taken: Set[str], *, most: int | None = None) -> str:
    """Return *name*, of *most* characters, or the first of ``name_2``, ``name_3`` and so on that is not *taken*."""
    name, number = name[:most], 1
    tried = name
    while tried in taken:
        number += 1
        ending = f"_{number}"
        tried = name[: most - len(ending) if most else None] + ending
    return tried
