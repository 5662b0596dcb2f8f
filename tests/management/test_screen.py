"""What a terminal is shown: colours, and lines that fit. ``FORCE_COLOR`` makes a terminal of any stream."""

import contextlib
import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import OutputWrapper
from django.core.management.color import no_style
from django.utils import timezone

from asyncsched import DailyAt, Every, register
from asyncsched.management.screen import open_screen
from asyncsched.management.tables import Column, Table, columns
from asyncsched.models import TaskRun, TaskState
from tests.management.test_history import run

pytestmark = pytest.mark.django_db

COLOUR = re.compile(r"\x1b\[([\d;]*)m")
GREEN, RED, DIM = "32", "1;31", "2"


@pytest.fixture(autouse=True)
def tasks(fresh_registry: None) -> None:
    @register("nightly", DailyAt(3))
    def nightly() -> None: ...

    @register("clean_up_what_nobody_needs_any_more", Every(300))
    async def clean_up() -> None: ...


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")


def shown(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("async_tasks", *arguments, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def colour_of(word: str, output: str) -> str:
    """Return the code that is on where *word* begins."""
    return COLOUR.findall(output.partition(word)[0])[-1]


def plain(output: str) -> list[str]:
    return [line.rstrip() for line in COLOUR.sub("", output).splitlines()]


def fared(task: str, *, status: str, ago: float, failures: int = 0, **columns: Any) -> None:
    at = timezone.now() - timedelta(seconds=ago)
    TaskState.objects.create(
        task=task, last_status=status, last_scheduled_for=at, last_started_at=at, last_finished_at=at,
        last_duration=0.0123, consecutive_failures=failures, **columns,
    )  # fmt: skip


class TestColours:
    def test_how_a_run_ended_has_its_colour(self) -> None:
        fared("nightly", status="succeeded", ago=90)
        fared("clean_up_what_nobody_needs_any_more", status="failed", ago=90)
        output = shown("list")
        assert colour_of("succeeded", output) == GREEN
        assert colour_of("failed", output) == RED

    def test_there_are_none_with_no_color_in_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        assert not COLOUR.search(shown("list"))

    def test_nor_with_the_option_of_django_wherever_it_stands(self) -> None:
        assert not COLOUR.search(shown("list", no_color=True))
        assert not COLOUR.search(shown("list", "--no-color"))

    def test_the_option_that_forces_colours_wins_over_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.delenv("FORCE_COLOR")
        assert COLOUR.search(shown("list", force_color=True))

    def test_a_pipe_gets_plain_text(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("FORCE_COLOR")
        output = shown("list")
        assert not COLOUR.search(output)
        assert "NEXT RUN" in output

    def test_json_never_has_any(self) -> None:
        assert len(json.loads(shown("list", "--json"))) == 2

    def test_what_a_task_says_can_neither_colour_nor_command_the_terminal(self) -> None:
        run(status="failed", error="[bold]no\x1b[2Jway[/bold]")
        output = shown("history")
        assert "[bold]no [2Jway[/bold]" in "".join(plain(output))
        assert "\x1b[2J" not in output


class TestWidth:
    @pytest.mark.parametrize("arguments", [("list",), ("next",), ("history",), ("status",)], ids=" ".join)
    @pytest.mark.parametrize("width", [60, 80, 120])
    def test_no_line_is_wider_than_the_terminal(
        self, monkeypatch: pytest.MonkeyPatch, width: int, arguments: tuple[str, ...]
    ) -> None:
        monkeypatch.setenv("COLUMNS", str(width))
        fared("nightly", status="succeeded", ago=90)
        run("clean_up_what_nobody_needs_any_more", status="failed", error="no route to host " * 20)
        out = io.StringIO()
        with pytest.raises(SystemExit) if arguments == ("status",) else contextlib.nullcontext():
            call_command("async_tasks", *arguments, stdout=out)
        table = [line for line in plain(out.getvalue()) if not line.startswith("NOT healthy")]
        assert max(map(len, table)) <= width

    def test_a_wide_terminal_has_times_twice_near_and_exact(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "200")
        fared("nightly", status="failed", ago=90, failures=3)
        header, nightly, _ = plain(shown("list"))
        assert [head.strip() for head in header.split("  ") if head] == [
            "TASK", "SCHEDULE", "STATE", "NEXT", "NEXT AT", "LAST RUN", "TOOK", "STARTED", "IN A ROW"
        ]  # fmt: skip
        assert "failed 1 min ago" in nightly
        assert nightly.endswith("UTC  3 failures")

    def test_history_says_how_long_ago_and_what_to_call_each_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "200")
        run(ago=2)
        header, line = plain(shown("history"))
        assert header.split()[:3] == ["STARTED", "AGO", "RUN"]
        assert line.split()[3:6] == ["2", "h", TaskRun.objects.get().run_id.hex[:8]]

    def test_a_paused_task_says_so_in_place_of_its_next_run(self) -> None:
        TaskState.objects.create(task="nightly", paused=True)
        assert "paused" in plain(shown("list"))[1]

    def test_letters_that_are_two_columns_wide_are_counted_as_such(self) -> None:
        stream = OutputWrapper(io.StringIO())
        table = Table(columns=columns("NAME", "WHY"), rows=(("暖房", "so"), ("heat", "so")))
        open_screen(stream, stream, no_style()).table(table)
        assert plain(stream.getvalue())[1:] == ["暖房  so", "heat  so"]


class TestWithoutUnicode:
    @pytest.fixture
    def ascii_only(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)

    def text(self, stream: io.TextIOWrapper) -> str:
        stream.flush()
        return stream.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]

    def test_something_stands_for_what_cannot_be_written(
        self, ascii_only: io.TextIOWrapper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "30")
        stream = OutputWrapper(ascii_only)
        table = Table(columns=(Column(name="NAME"), Column(name="WHY")), rows=(("Müsli ×3", "x" * 40),))
        open_screen(stream, stream, no_style()).table(table)
        assert COLOUR.sub("", self.text(ascii_only)).splitlines()[1] == f"M?sli x3  {'x' * 19}~"

    def test_json_loses_nothing(self, ascii_only: io.TextIOWrapper) -> None:
        stream = OutputWrapper(ascii_only)
        open_screen(stream, stream, no_style()).json({"error": "kein Weg – ×3"})
        assert json.loads(self.text(ascii_only)) == {"error": "kein Weg – ×3"}
