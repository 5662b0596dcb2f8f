"""What ``import`` and ``export`` show: the module on stdout, what is to be said about it on stderr."""

import textwrap
from collections.abc import Sequence

from asyncsched.management.parser import FAILED
from asyncsched.management.screen import Screen
from asyncsched.management.tables import terminal_width
from asyncsched.migrating.contrasts import Differing, contrasted
from asyncsched.migrating.found import LeftOut
from asyncsched.schedules.words import counted


def show(
    screen: Screen, module: str, moved: Sequence[Differing], left_out: Sequence[LeftOut], *, scheduler: str
) -> None:
    """Write the text of a *module*, the table of what means something else, and how many definitions are in it."""
    if not screen.out.isatty() and hasattr(screen.out, "reconfigure"):
        screen.out.reconfigure(encoding="utf-8")  # as Python reads modules, whatever the terminal would have
    screen.out.write(module, ending="")
    screen.flush()
    width = terminal_width()
    if table := contrasted(moved, scheduler=scheduler, width=width):
        screen.remark(f"\nWhat means something else:\n\n{table}\n")
    screen.remark(f"{counted(len(moved), 'task')} to be reviewed.")
    if left_out:
        names = ", ".join(one.name or repr(one.name) for one in left_out)
        told = f"{counted(len(left_out), 'definition')} left out, why stands at the end of the module: {names}"
        screen.remark("\n".join(textwrap.wrap(told, width, subsequent_indent="  ", break_on_hyphens=False)))


def exit_code(moved: Sequence[object], left_out: Sequence[LeftOut]) -> int | None:
    """Return what the command ends with: success only if something was moved, and nothing was left out."""
    return FAILED if left_out or not moved else None
