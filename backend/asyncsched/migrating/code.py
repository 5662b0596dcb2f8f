"""Values and calls as the Python that makes them, laid out as formatters do it."""

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import timedelta
from keyword import iskeyword
from typing import Any

WIDTH = 88  # of a line, which is the width that formatters take unless told
STEP = "    "


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of *function*, or an expression if *arguments* is None, and the imports that it needs.

    An import is a whole statement: ``import shop.cron``.
    """

    function: str
    arguments: tuple[str, ...] | None = ()
    imports: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """It on one line."""
        return self.function if self.arguments is None else f"{self.function}({', '.join(self.arguments)})"

    @property
    def called(self) -> set[str]:
        """The names, in their modules, of what is called: ``notify`` of ``shop.tasks.notify.now()``."""
        modules = [line.removeprefix("import ") for line in self.imports if line.startswith("import ")]
        return {name for module in modules for name in re.findall(rf"\b{re.escape(module)}\.(\w+)", self.function)}

    def laid_out(self, before: str = "", *, indent: str = "") -> str:
        """Return it after the text *before*: on one line if it fits, else its arguments on lines of their own."""
        line = f"{indent}{before}{self.text}"
        if len(line) <= WIDTH or not self.arguments:
            return line
        inner = f"{indent}{STEP}{', '.join(self.arguments)}"
        many = "".join(f"{indent}{STEP}{argument},\n" for argument in self.arguments)
        return f"{indent}{before}{self.function}(\n{inner + chr(10) if len(inner) <= WIDTH else many}{indent})"


def call_of(path: str, args: Iterable[object] = (), kwargs: Mapping[str, object] | None = None) -> Call:
    """Return the call of what lies at *path*, ``shop.jobs:Carts.clear``: module, colon, name in it."""
    module, _, name = path.partition(":")
    kwargs = kwargs or {}
    named = [f"{key}={text_of(value)}" for key, value in kwargs.items()]
    if not all(key.isidentifier() and not iskeyword(key) for key in kwargs):
        named = [f"**{text_of(dict(kwargs))}"]
    arguments = (*map(text_of, args), *named)
    return Call(function=f"{module}.{name}", arguments=arguments, imports=(f"import {module}",))


def is_importable(module: str) -> bool:
    """True if an import statement can name *module*, which cannot be said of ``old-jobs``."""
    return all(part.isidentifier() and not iskeyword(part) for part in module.split("."))


def text_of(value: object) -> str:
    """Return the expression for *value*; of one of ours with the fields that are not as by default."""
    match value:
        case Call():
            return value.text
        case str():
            return _quoted(str(value))
        case float():
            return repr(_shortest(value))
        case timedelta():
            return f"timedelta(seconds={_shortest(value.total_seconds())})"
        case dict() | list():
            return _collection(value)
    return f"{type(value).__name__}({', '.join(_arguments(value))})" if is_dataclass(value) else repr(value)


def _collection(value: dict[object, object] | list[object]) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(text_of, value))}]"
    return f"{{{', '.join(f'{text_of(key)}: {text_of(of_it)}' for key, of_it in value.items())}}}"


def imports_of(values: Iterable[object]) -> list[str]:
    """Return the import statements that the expressions of *values* need."""
    found: list[str] = []
    for value in values:
        if isinstance(value, Call):
            found += value.imports
        elif isinstance(value, timedelta):
            found.append("from datetime import timedelta")
        elif is_dataclass(value) and not isinstance(value, type):
            found.append(f"from asyncsched import {type(value).__name__}")
    return found


def _arguments(value: Any) -> list[str]:
    given = [one for one in fields(value) if one.init and getattr(value, one.name) != _default(one)]
    return [
        text_of(getattr(value, one.name))
        if one.name == "expression"
        else f"{one.name}={text_of(getattr(value, one.name))}"
        for one in given
    ]


def _default(one: "Field[Any]") -> object:
    return None if one.default is MISSING else one.default


def _shortest(number: float) -> float:
    return int(number) if float(number).is_integer() else number


def _quoted(text: str) -> str:
    """Return *text* in double quotes, or in single ones if that needs fewer backslashes."""
    shown = repr(text)
    if shown[0] == "'" and '"' not in text:
        return f'"{shown[1:-1]}"'
    return shown


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
