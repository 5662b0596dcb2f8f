"""Drawings of what happens along a line of time, as SVG that is readable in light and in dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

WIDTH, LABELS, MARGIN = 760, 250, 30
TOP, ROW, BOTTOM = 64, 38, 40
LANE = 12
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2933; }
.code { font-family: ui-monospace, monospace; font-size: 12px; }
.small { font-size: 11px; fill: #52606d; }
.middle { text-anchor: middle; }
.paper { fill: #ffffff; stroke: #cbd2d9; }
.band { fill: #f2dcb3; }
.line { stroke: #9aa5b1; stroke-width: 1; }
.tick { stroke: #e4e7eb; stroke-width: 1; }
.run { fill: #0f766e; }
.late { fill: #b45309; }
rect.run, rect.late { stroke: #ffffff; }
.not { fill: none; stroke: #52606d; stroke-width: 1.5; stroke-dasharray: 3 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e7eb; }
  .small { fill: #a3b0bd; }
  .paper { fill: #1b2229; stroke: #3e4c59; }
  .band { fill: #4d3d1a; }
  .line { stroke: #7b8794; }
  .tick { stroke: #323f4b; }
  .run { fill: #2dd4bf; }
  .late { fill: #fbbf24; }
  rect.run, rect.late { stroke: #1b2229; }
  .not { stroke: #a3b0bd; }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something on a row: a run (``run``), one that makes up for what was missed (``late``), or none (``not``)."""

    at: datetime
    kind: str = "run"
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of marks. *label* is code; what *note* says stands below it."""

    label: str
    marks: Sequence[Mark]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch of time in which something is different."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawing from *start* to *end*. *ticks* are moments with what is written above them, in one line or two."""

    title: str
    start: datetime
    end: datetime
    ticks: Sequence[tuple[datetime, Sequence[str]]]
    rows: Sequence[Row]
    bands: Sequence[Band] = ()
    legend: Sequence[tuple[str, str]] = (("run", "runs"),)

    def svg(self) -> str:
        """Return the drawing as the text of a file."""
        height = TOP + ROW * len(self.rows) + BOTTOM
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">',
            f"<title>{escape(self.title)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="paper" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
            *(self._band(band, height) for band in self.bands),
            *(self._tick(at, lines, height) for at, lines in self.ticks),
            *(self._row(number, row) for number, row in enumerate(self.rows)),
            self._key(height - 15),
            "</svg>\n",
        ]
        return "\n".join(parts)

    def _x(self, at: datetime) -> float:
        return round(LABELS + (WIDTH - LABELS - MARGIN) * ((at - self.start) / (self.end - self.start)), 1)

    def _band(self, band: Band, height: int) -> str:
        left, right = self._x(band.start), self._x(band.end)
        width = max(right - left, 3.0)
        return (
            f'<rect class="band" x="{left}" y="{TOP - 10}" width="{width:.1f}" height="{height - TOP - BOTTOM + 16}"/>'
        )

    def _tick(self, at: datetime, lines: Sequence[str], height: int) -> str:
        x = self._x(at)
        texts = [
            f'<text class="{name} middle" x="{x}" y="{y}">{escape(line)}</text>'
            for line, name, y in zip(reversed(lines), ("small", "plain")[2 - len(lines) :], (44, 28), strict=False)
        ]
        return f'<line class="tick" x1="{x}" y1="{TOP - 12}" x2="{x}" y2="{height - BOTTOM + 6}"/>' + "".join(texts)

    def _row(self, number: int, row: Row) -> str:
        y = TOP + ROW * number + ROW // 2
        up = 3 if row.note else -4
        label = f'<text class="code" x="16" y="{y - up}">{escape(row.label)}</text>'
        note = f'<text class="small" x="16" y="{y + 12}">{escape(row.note)}</text>' if row.note else ""
        line = f'<line class="line" x1="{LABELS}" y1="{y}" x2="{WIDTH - MARGIN}" y2="{y}"/>'
        return label + note + line + "".join(self._mark(mark, y + LANE * lane) for mark, lane in laned(row.marks))

    def _mark(self, mark: Mark, y: float) -> str:
        x = self._x(mark.at)
        if mark.until is None:
            return f'<circle class="{mark.kind}" cx="{x}" cy="{y}" r="6"/>'
        width = round(self._x(min(mark.until, self.end)) - x, 1)
        return f'<rect class="{mark.kind}" x="{x}" y="{y - 5}" width="{width}" height="11" rx="3"/>'

    def _key(self, y: float) -> str:
        x, parts = LABELS, []
        for kind, words in self.legend:
            sample = (
                f'<rect class="{kind}" x="{x - 6}" y="{y - 10}" width="12" height="12"/>'
                if kind == "band"
                else f'<circle class="{kind}" cx="{x}" cy="{y - 4}" r="5"/>'
            )
            parts.append(f'{sample}<text class="small" x="{x + 12}" y="{y}">{escape(words)}</text>')
            x += 36 + 6 * len(words)
        return "".join(parts)


def laned(marks: Sequence[Mark]) -> list[tuple[Mark, int]]:
    """Return each of *marks* with where it goes: on the line (0), or beside it if it would hide the one before."""
    lanes: list[tuple[Mark, int]] = []
    for mark in marks:
        before, lane = lanes[-1] if lanes else (None, 0)
        hides = before is not None and before.until is not None and mark.at < before.until
        lanes.append((mark, 1 - lane if hides else 0))
    return lanes
