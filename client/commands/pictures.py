"""Graphs and graph runs drawn in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from rich.text import Text

from ..drawing import Box, draw
from ..models import GraphRun, PictureRow, ShapeRow

__all__ = ["STYLES", "draw_run", "draw_shape", "heading"]

STYLES = {
    "SUCCESS": "green", "FAILED": "bold red", "RUNNING": "bold cyan", "DISPATCHED": "cyan", "QUEUED": "yellow",
    "SKIPPED": "dim", "CANCELLED": "magenta",
}  # fmt: skip


def draw_shape(rows: Sequence[ShapeRow]) -> str:
    """The tasks of a graph and their chains."""
    boxes = [Box(row.task, (row.task, row.service)) for row in rows]
    return "\n".join(draw(boxes, _edges(rows)).lines) if boxes else "the graph has no chains"


def draw_run(rows: Sequence[PictureRow]) -> Text:
    """The tasks of a run with their states and times."""
    boxes = [
        Box(row.task, (row.task, _state(row), _took(row)), STYLES.get(row.status or "", "dim"), "dim")
        for row in rows
    ]
    picture = draw(boxes, _edges(rows))
    drawn = Text(no_wrap=True)
    for cells, styles in zip(picture.cells, picture.styles, strict=True):
        for cell, style in zip(cells, styles, strict=True):
            drawn.append(cell, style)
        drawn.append("\n")
    return drawn


def heading(run: GraphRun, graph: str | None) -> Text:
    """One line about the run."""
    words = [f"graph run {run.id}", f"of {graph}" if graph else "of one chain"]
    if run.run_key:
        words.append(f"key {run.run_key}")
    line = Text(" ".join(words) + "  ")
    line.append(run.status, STYLES.get(run.status, ""))
    if run.reason:
        line.append(f" ({run.reason})")
    if run.replaced_by_id:
        line.append(f", taken over by {run.replaced_by_id}")
    if run.replaces_id:
        line.append(f", took over {run.replaces_id}")
    return line


def _edges(rows: Sequence[PictureRow] | Sequence[ShapeRow]) -> list[tuple[str, str]]:
    names = {row.task for row in rows}
    return [(before, row.task) for row in rows for before in row.after if before in names]


def _state(row: PictureRow) -> str:
    if row.status is None:
        return "waits"
    words = row.status if row.attempt in (None, 1) else f"{row.status} #{row.attempt}"
    return f"{words} {row.reason}" if row.reason else words


def _took(row: PictureRow) -> str:
    begun = row.started_at or row.dispatched_at
    if begun is None:
        return "" if row.finished_at is None else f"{row.finished_at:%H:%M:%S}"
    end = row.finished_at or datetime.now(timezone.utc)
    seconds = max(0.0, (end - begun).total_seconds())
    return (
        f"{begun:%H:%M:%S} +{seconds:.1f} s" if seconds < 600 else f"{begun:%H:%M:%S} +{seconds / 60:.0f} min"
    )
