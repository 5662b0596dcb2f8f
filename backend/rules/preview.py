"""A definition while it is written: what is wrong with it and on which line, or what it says in words. Pure."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from rules import definitions, words
from rules.conditions import Verdict, evaluate
from rules.definitions import Definition, DefinitionError
from rules.facts import Facts
from rules.places import line_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """What is wrong. *line* counts from 1; *place* is empty if the text is not even JSON."""

    line: int
    place: str
    problem: str

    def __str__(self) -> str:
        return (
            f"{self.place}: {self.problem} (line {self.line})" if self.place else f"{self.problem} (line {self.line})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Either one of *mistakes*, the first there is, or what the text says *in_words*; *tidy* if it is JSON."""

    mistakes: tuple[Mistake, ...] = ()
    in_words: tuple[str, ...] = ()
    tidy: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it for the editor."""
        return asdict(self)


def preview(text: str) -> Preview:
    """Return what a person who writes *text* as a definition may like to know."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        mistake = Mistake(line=error.lineno, place="", problem=f"Not JSON: {error.msg}, column {error.colno}")
        return Preview(mistakes=(mistake,))
    except (ValueError, RecursionError):  # a number of thousands of digits, brackets without end
        return Preview(mistakes=(Mistake(line=1, place="", problem="Not JSON that can be read"),))
    try:
        definition = definitions.parse(value)
    except DefinitionError as error:
        problem = str(error).removeprefix(f"{error.place}: ")
        mistake = Mistake(line=line_of(text, error.place), place=error.place, problem=problem)
        return Preview(mistakes=(mistake,), tidy=tidy(value))
    return Preview(in_words=tuple(in_words(definition)), tidy=tidy(value))


def tidy(value: object) -> str:
    """Return decoded JSON as people write it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def in_words(definition: Definition) -> Iterator[str]:
    """Yield a definition as people say it, line by line."""
    verdict = evaluate(definition.when, Facts(now=datetime.now(UTC)))  # it has the words, whatever is the case
    yield f"When this comes true{f' and lasts {words.length(definition.wait)}' if definition.wait else ''}:"
    yield from _condition(verdict, 1)
    yield "Then:"
    yield from (f"  {number}. {words.of_action(action)}" for number, action in enumerate(definition.then, 1))


def _condition(verdict: Verdict, depth: int) -> Iterator[str]:
    yield f"{'  ' * depth}{verdict.condition}"
    for part in verdict.parts:
        yield from _condition(part, depth + 1)
