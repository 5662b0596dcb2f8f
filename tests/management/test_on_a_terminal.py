"""The commands as people see them: real processes on a real pseudo-terminal."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.postgres import Postgres
from tests.support.tcp_proxy import TcpProxy
from tests.support.terminal import ROOT, Terminal

pytestmark = pytest.mark.e2e

PROJECT = Path(__file__).parent / "project"
COLOUR = re.compile(r"\x1b\[[\d;]+m")
SHOW_CURSOR, HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"
CTRL_C = "\x03"
BAR = "━"

Open = Callable[..., Terminal]


def environment(database_url: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "TERM", "LANG")}
    return inherited | {
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": os.pathsep.join([str(PROJECT), str(ROOT / "backend")]),
    }


def migrate(env: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-m", "django", "migrate", "--verbosity", "0"], env=env, check=True, timeout=60)


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a project whose database is migrated."""
    env = environment(f"sqlite:///{tmp_path_factory.mktemp('bench') / 'db.sqlite3'}")
    migrate(env)
    return env


@pytest.fixture(scope="module")
def open_terminal(env: dict[str, str]) -> Open:
    def open_terminal(*arguments: str, columns: int = 80, stdout: int | None = None, **more: str) -> Terminal:
        """Start ``async_tasks`` with *arguments* on a terminal."""
        command = ("-m", "django", "async_tasks", *arguments)
        return Terminal(*command, env=env | more, columns=columns, stdout=stdout)

    return open_terminal


class TestTables:
    def test_a_narrow_terminal_gets_what_matters_most_in_lines_that_fit(self, open_terminal: Open) -> None:
        with open_terminal("list", columns=60) as terminal:
            assert terminal.end() == 0
        header, count, *_ = terminal.screen().splitlines()
        assert (header.split(), count.split()[:2]) == (["TASK", "NEXT", "LAST", "RUN"], ["count", "in"])
        assert max(map(len, terminal.screen().splitlines())) <= 60
        assert "…" in terminal.screen()
        assert COLOUR.search(terminal.output)

    def test_a_terminal_without_unicode_gets_likenesses(self, open_terminal: Open) -> None:
        with open_terminal("list", columns=60, PYTHONIOENCODING="ascii") as terminal:
            assert terminal.end() == 0
        assert terminal.output.isascii()
        assert "~" in terminal.screen()

    def test_with_no_color_errors_have_none_either(self, open_terminal: Open) -> None:
        with open_terminal("run", "cuont", NO_COLOR="1") as terminal:
            assert terminal.end() == 2
        assert terminal.output == "CommandError: unknown task 'cuont': did you mean 'count'?\r\n"


class TestProgress:
    def test_a_bar_moves_while_the_task_runs_and_leaves_its_result(self, open_terminal: Open, tmp_path: Path) -> None:
        hold = tmp_path / "hold"
        hold.touch()
        with open_terminal("run", "count", BENCH_HOLD=str(hold)) as terminal:
            terminal.wait_for("7 of 12 (58%)")
            terminal.wait_until_seen(BAR)
            hold.unlink()
            assert terminal.end() == 0
        printed, logged, result = terminal.screen().splitlines()
        assert (printed, logged) == ("printed by the task", "logged by the task")
        assert re.fullmatch(r"count: succeeded in .* m?s: 12 counted", result)
        assert terminal.output.rindex(SHOW_CURSOR) > terminal.output.rindex(HIDE_CURSOR)

    def test_ctrl_c_cuts_the_run_off_in_one_line(self, open_terminal: Open) -> None:
        with open_terminal("run", "hang") as terminal:
            terminal.wait_for("7 done")
            terminal.type(CTRL_C)
            assert terminal.end() == 1
        assert BAR not in terminal.output
        assert terminal.screen() == "CommandError: interrupted; the run is recorded as cancelled"
        assert terminal.output.rindex(SHOW_CURSOR) > terminal.output.rindex(HIDE_CURSOR)

    def test_with_json_there_is_nothing_else_on_stdout_and_yet_a_bar(self, open_terminal: Open, tmp_path: Path) -> None:
        with (tmp_path / "out").open("w") as out, open_terminal("run", "count", "--json", stdout=out.fileno()) as shown:
            assert shown.end() == 0
        (result,) = json.loads((tmp_path / "out").read_text())
        assert (result["status"], result["result"]) == ("succeeded", "12 counted")
        assert BAR in shown.output
        assert "printed by the task" in shown.screen()


class TestWatch:
    def test_it_shows_the_list_anew_in_place_until_ctrl_c(self, open_terminal: Open) -> None:
        with open_terminal("list", "--watch", "0.1") as terminal:
            terminal.wait_for("Ctrl-C ends it", times=4)
            terminal.type(CTRL_C)
            assert terminal.end() == 0
        assert terminal.screen().count("Ctrl-C ends it") == 1
        assert terminal.screen().count("hang") == 1
        assert terminal.output.rindex(SHOW_CURSOR) > terminal.output.rindex(HIDE_CURSOR)

    def test_sigterm_ends_it_as_well_however_long_it_is_to_wait(self, open_terminal: Open) -> None:
        with open_terminal("status", "--watch", "1e12") as terminal:
            terminal.wait_for("never")  # the end of what is shown
            terminal.terminate()
            assert terminal.end() == 0
        assert terminal.screen().count("NOT healthy") == 1

    def test_it_says_that_the_database_is_away_keeps_the_table_and_goes_on(
        self, postgres: Postgres, open_terminal: Open
    ) -> None:
        direct = postgres.create_database("watched")
        migrate(environment(direct))
        with TcpProxy(postgres.port) as proxy:
            url = direct.replace(f":{postgres.port}/", f":{proxy.port}/")
            with open_terminal("list", "--watch", "0.1", DATABASE_URL=url) as terminal:
                terminal.wait_for("Ctrl-C ends it", times=2)
                proxy.refuse()
                terminal.wait_for("the database has not answered since", times=2)
                terminal.wait_until_seen("hang")
                seen = terminal.output.count("Ctrl-C ends it")
                proxy.heal()
                terminal.wait_for("Ctrl-C ends it", times=seen + 2)
                terminal.type(CTRL_C)
                assert terminal.end() == 0
            assert "not answered" not in terminal.screen()
        postgres.drop_database("watched")


class TestWithoutRich:
    def start(self, env: dict[str, str], *arguments: str) -> Terminal:
        script = "import sys; sys.modules['rich'] = None; from django.core.management import *; "
        run = f"execute_from_command_line(['manage.py', 'async_tasks', *{list(arguments)!r}])"
        return Terminal("-c", script + run, env=env, columns=200)

    def test_tables_are_plain_and_progress_is_a_line(self, env: dict[str, str]) -> None:
        with self.start(env, "list") as terminal:
            assert terminal.end() == 0
        assert terminal.screen().splitlines()[0].split() == ["TASK", "SCHEDULE", "STATE", "NEXT", "RUN", "LAST", "RUN"]
        with self.start(env, "run", "count") as terminal:
            assert terminal.end() == 0
        assert "count ... 7 of 12 (58%)" in terminal.output
        assert terminal.screen().splitlines()[-1].endswith("12 counted")

    def test_watching_names_the_extra(self, env: dict[str, str]) -> None:
        with self.start(env, "list", "--watch") as terminal:
            assert terminal.end() == 2
        assert terminal.screen() == "CommandError: --watch needs rich: pip install 'asyncsched[cli]'"
