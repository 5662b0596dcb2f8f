"""``async_tasks completion``: a script for a shell, made of what the parser knows."""

import re
from argparse import ArgumentParser
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from asyncsched import __version__
from asyncsched.engine.runs import RunStatus
from asyncsched.management.screen import Screen

SHELLS = ("bash", "zsh", "fish")
NAMES = "names"  # what a subcommand takes that takes names of tasks

_STATUS = "--status"
_OFFER = {
    "bash": '    %s) COMPREPLY=($(compgen -W "%s" -- "$current")) && return ;;',
    "zsh": "    %s) compadd -- %s; return ;;",
}
"""What a shell does after an option, to offer these words."""

_CHOICE = re.compile(r"(--[a-z-]+)\s+\{([\w,-]+)\}")  # in a usage


def add_arguments(parser: ArgumentParser) -> None:
    """Add what ``completion`` takes."""
    parser.add_argument("shell", choices=SHELLS, help="the shell to complete in")


def handle(screen: Screen, *, shell: str, subparsers: Mapping[str, ArgumentParser], **options: Any) -> None:
    """Carry out ``completion``."""
    template = files("asyncsched.management").joinpath("completions", f"async_tasks.{shell}").read_text()
    screen.out.write(_filled(template, shell, subparsers))


def _filled(template: str, shell: str, subparsers: Mapping[str, ArgumentParser]) -> str:
    choices = dict(sorted(choice for parser in subparsers.values() for choice in _choices(parser).items()))
    valued = sorted({option for parser in subparsers.values() for option in _valued(parser)} - choices.keys())
    values = {
        "version": __version__,
        "subcommands": " ".join(subparsers),
        "cases": _fish_cases(subparsers) if shell == "fish" else _cases(subparsers),
        "choices": "\n".join(_OFFER[shell] % choice for choice in choices.items()) if shell in _OFFER else "",
        "valued": "|".join(valued),
    }
    return re.sub("@([a-z]+)@", lambda found: values[found[1]], template)


def _cases(subparsers: Mapping[str, ArgumentParser]) -> str:
    """Return what bash and zsh choose from, by subcommand."""
    return "\n".join(
        f'    {name}) options="{" ".join(_options(parser))}" takes="{_takes(parser)}" ;;'
        for name, parser in subparsers.items()
    )


def _fish_cases(subparsers: Mapping[str, ArgumentParser]) -> str:
    """Return the completions of fish, a line each."""
    lines = []
    for name, parser in subparsers.items():
        described = (parser.description or "").replace("'", "\\'")
        lines.append(f"-n __async_tasks_in -f -a {name} -d '{described}'")
        within = f"-n '__async_tasks_in {name}' -f"
        for option in _options(parser):
            words = _choices(parser).get(option)
            offered = f" -x -a '{words}'" if words else " -x" if option in _valued(parser) else ""
            lines.append(f"{within} -l {option[2:]}{offered}")
        if takes := _takes(parser):
            lines.append(f"{within} -a '{'(__async_tasks_names)' if takes == NAMES else takes}'")
    return "\n".join(f"    complete -c $program {line}" for line in lines)


def _options(parser: ArgumentParser) -> list[str]:
    return re.findall(r"[\[ ](--[a-z-]+)", parser.format_usage())


def _valued(parser: ArgumentParser) -> list[str]:
    """Return the options that need a value."""
    return re.findall(r"[\[ ](--[a-z-]+)\s+[A-Z]", parser.format_usage())


def _choices(parser: ArgumentParser) -> dict[str, str]:
    """Return the options that take one of some words, and these."""
    found = {option: words.replace(",", " ") for option, words in _CHOICE.findall(parser.format_usage())}
    return found | ({_STATUS: " ".join(RunStatus)} if _STATUS in _options(parser) else {})


def _takes(parser: ArgumentParser) -> str:
    """Return what it takes besides options: NAMES, or the words to choose from."""
    usage = _CHOICE.sub("", parser.format_usage())
    if re.search(r"\b(NAME|RUN)\b", usage):
        return NAMES
    choices = re.search(r"\{([\w,]+)\}", usage)
    return choices[1].replace(",", " ") if choices else ""
