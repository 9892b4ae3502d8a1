"""What the demo says: lines as things happen (on a terminal, a living picture too), and a picture of every run."""

from __future__ import annotations

import codecs
import heapq
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from io import TextIOWrapper

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from orchestration.client.drawing import Box, Picture, draw

from .runs import GraphRun, Task
from .verdict import Check, Figures

__all__ = ["Screen", "graph_picture", "task_table"]

_WIDE = 120  # columns where the output is no terminal
_MARKS = {
    None: ("·", "dim"), "QUEUED": ("○", "yellow"), "DISPATCHED": ("◌", "yellow"), "RUNNING": ("●", "cyan"),
    "SUCCESS": ("✓", "green"), "FAILED": ("✗", "red"), "SKIPPED": ("-", "magenta"), "CANCELLED": ("⊘", "magenta"),
}  # fmt: skip
_BAR = 26
_PLAIN = "stack.demo.plain"
_IN_ASCII = dict(zip("─│╭╮╰╯├┤┬┴┼╔╗╚╝╟═║►✓✗●○◌·⊘━┄→", "-|++++++++++++++=|>vx*oo.-=.>", strict=True))


class Screen:
    """Where the demo speaks. A terminal that goes away silences it; the demo goes on to its clean end."""

    def __init__(self, console: Console | None = None) -> None:
        if console is None:
            if isinstance(sys.stdout, TextIOWrapper):
                codecs.register_error(_PLAIN, _plainly)
                sys.stdout.reconfigure(errors=_PLAIN)
            console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)
        self._console = console
        self._begin = time.monotonic()
        self._runs: Sequence[GraphRun] = ()
        self._told: list[tuple[datetime, int, str, str, str]] = []

    @property
    def seconds(self) -> float:
        """Since the demo began."""
        return time.monotonic() - self._begin

    def say(self, words: str, style: str = "") -> None:
        """One line, with the seconds since the demo began."""
        if words.startswith("WARNING"):
            style = "bold yellow"
        self._print(Text.assemble((f"{self.seconds:7.2f} s  ", "dim"), (words, style)))

    def tell(self, at: datetime, who: str, words: str, style: str = "") -> None:
        """One line of the run, printed by `flush`: when, who, what."""
        heapq.heappush(self._told, (at, len(self._told), who, words, style))

    def flush(self, begin: datetime, until: datetime) -> None:
        """Print what was told of the time until then, in the order of time and with the seconds since `begin`.

        What database and Kafka have to tell comes in a little late, and in turns.
        """
        while self._told and self._told[0][0] <= until:
            at, _, who, words, style = heapq.heappop(self._told)
            seconds = (at - begin).total_seconds()
            self._print(
                Text.assemble((f"{seconds:+7.3f} s  ", "dim"), (f"{who:<11}", "bold"), (words, style))
            )

    @staticmethod
    def style_of(status: str | None) -> str:
        """The style that stands for a status."""
        return _MARKS[status][1]

    @contextmanager
    def live(self) -> Iterator[None]:
        """Within it, on a terminal, the picture lives beneath the lines."""
        if not self._console.is_terminal:
            yield
            return
        picture = Live(
            console=self._console, get_renderable=self._living, refresh_per_second=10, transient=True
        )
        picture.start()
        try:
            yield
        finally:
            with suppress(OSError, SystemExit):
                picture.stop()

    def show(self, runs: Sequence[GraphRun]) -> None:
        """What the living picture shows from now on."""
        self._runs = runs

    def finish(self, runs: Sequence[GraphRun]) -> None:
        """The picture of every graph run, with its tasks."""
        for run in runs:
            self._print(Text())
            self._print(_headline(run))
            self._print(graph_picture(run))
            if run.id is not None:
                self._print(task_table(run, wide=self._console.width >= 110))

    def verdict(self, checks: Sequence[Check], figures: Figures) -> None:
        """Whether each claim holds, and the one line of figures."""
        self._print(Text())
        for check in checks:
            mark, style = ("✓", "green") if check.holds else ("✗", "bold red")
            found = f": {check.found}" if check.found else ""
            self._print(Text.assemble((f"{mark} {check.claim}{found}", style)))
        self._print(Text(self._figures(figures), style="bold"))

    def _figures(self, figures: Figures) -> str:
        again = f" ({figures.repeats} sent again, run once)" if figures.repeats else ""
        counts = (
            (figures.graph_runs, "graph runs"), (figures.task_runs, "task runs"), (figures.events, "events"),
            (figures.dispatches, f"dispatches{again}"), (figures.hops, "hops"),
        )  # fmt: skip
        middle, tail = figures.quantile(0.5), figures.quantile(0.99)
        latency = (
            f"event → dispatch p50 {middle * 1000:.0f} ms, p99 {tail * 1000:.0f} ms (Kafka timestamps)"
            if middle is not None and tail is not None
            else "no dispatch"
        )
        counted = ", ".join(f"{number} {what}" for number, what in counts)
        return f"{counted}; {latency}; {figures.seconds:.1f} s from first to last message, {self.seconds:.1f} s in all"

    # -- helpers ------------------------------------------------------------------------------------

    def _print(self, what: RenderableType) -> None:
        with suppress(OSError, SystemExit):  # the latter is rich's answer to a closed pipe
            self._console.print(what)

    def _living(self) -> RenderableType:
        parts: list[RenderableType] = []
        for run in self._runs:
            parts += [_headline(run), graph_picture(run)]
        lines = sum(len(part.split("\n")) for part in parts if isinstance(part, Text))
        if lines + 2 > self._console.height:  # too small a window: a line for each graph
            return Group(*(_in_a_line(run) for run in self._runs))
        return Group(*parts)


def graph_picture(run: GraphRun) -> Text:
    """The graph with the state of each task; a double frame: its task run stands in other graph runs too."""
    boxes = []
    for task in run.tasks:
        mark, style = _MARKS[task.status]
        shared = "  shared" if task.shared else ""
        text = [
            f"{task.name}  {task.process}{shared}",
            f"{mark} {task.status or 'not yet'}{_took(task)}".ljust(16),
        ]
        wait = run.wait(task)
        if wait is not None:
            text.append(_waiting(task, wait.seconds, wait.last, wait.missing, short=True))
        elif len(task.after) > 1:
            text.append("")
        boxes.append(Box(task.name, tuple(text), style, style, double=task.shared))
    return _to_text(draw(boxes, run.edges))


def task_table(run: GraphRun, *, wide: bool) -> Table:
    """When each task ran, and for what it waited; `wide`: with bars over the time of the run."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("task", "state", "started", "finished", "took"):
        table.add_column(name, no_wrap=True, justify="right" if name == "took" else "left")
    if wide:
        table.add_column("", no_wrap=True)
    table.add_column("why then", no_wrap=True)
    times = [moment for task in run.tasks for moment in (task.begin, task.finished_at) if moment]
    for task in run.tasks:
        mark, style = _MARKS[task.status]
        reason = f" ({task.reason})" if task.reason else ""
        cells: list[RenderableType] = [
            task.name, Text(f"{mark} {task.status or 'not yet'}{reason}", style),
            _clock(task.begin), _clock(task.finished_at), _took(task).strip(),
        ]  # fmt: skip
        if wide:
            cells.append(_bar(run, task, min(times), max(times)) if times else "")
        table.add_row(*cells, _story(run, task))
    return table


def _headline(run: GraphRun) -> Text:
    if run.id is None:
        return Text.assemble(("graph ", "dim"), (run.graph, "bold"), ("  no graph run yet", "dim"))
    took = (
        f" in {(run.finished_at - run.created_at).total_seconds():.2f} s"
        if run.finished_at and run.created_at
        else ""
    )
    reason = f" ({run.reason})" if run.reason else ""
    return Text.assemble(
        ("graph run ", "dim"), (f"{run.id}  {run.graph}", "bold"), "  ",
        (f"{run.status}{reason}{took}", _MARKS[run.status][1]),
    )  # fmt: skip


def _in_a_line(run: GraphRun) -> Text:
    line = Text(f"{run.graph:<12}")
    for task in run.tasks:
        mark, style = _MARKS[task.status]
        line.append(f" {task.name}{mark} ", style)
    return line


def _story(run: GraphRun, task: Task) -> str:
    """Why it started when it did, and where else it stands."""
    others = [number for number in task.graph_runs if number != run.id]
    elsewhere = f"stands in graph run {', '.join(map(str, others))} too" if others else ""
    wait = run.wait(task)
    if task.status == "SKIPPED":
        return "did not run"
    if wait is not None:
        words = _waiting(task, wait.seconds, wait.last, wait.missing)
    elif task.after:
        words = f"after {', '.join(task.after)}"
    elif others:
        return f"root, {elsewhere}"
    else:
        words = f"root, reported by {task.service}" if task.task_run_id else f"root, awaits {task.service}"
    return f"{words}; {elsewhere}" if elsewhere else words


def _waiting(
    task: Task, seconds: float | None, last: str | None, missing: tuple[str, ...], *, short: bool = False
) -> str:
    who = "" if short else f"{task.name} "
    if seconds is None:
        return f"{who}waits for {', '.join(missing)}"
    return f"{who}waited {seconds:.2f} s for {last}"


def _bar(run: GraphRun, task: Task, first: datetime, last: datetime) -> Text:
    """Over the time of the run: dots while it waited for another predecessor, a line while it ran."""
    span = max((last - first).total_seconds(), 0.001)

    def column(moment: datetime) -> int:
        return min(_BAR - 1, int((moment - first).total_seconds() / span * _BAR))

    def fill(begin: datetime, end: datetime, character: str) -> None:
        length = column(end) - column(begin) + 1
        bar[column(begin) : column(begin) + length] = character * length

    bar = [" "] * _BAR
    ends = [end for name in task.after if (end := run.task(name).finished_at) is not None]
    if len(ends) > 1:
        fill(min(ends), max(ends), "┄")
    if task.begin:
        fill(task.begin, task.finished_at or last, "━")
    return Text("".join(bar).rstrip(), _MARKS[task.status][1])


def _took(task: Task) -> str:
    return f" {task.seconds:.2f} s" if task.seconds is not None else ""


def _clock(moment: datetime | None) -> str:
    """UTC, whatever the time zone of the session it came through."""
    return f"{moment.astimezone(timezone.utc):%H:%M:%S.%f}"[:-3] if moment else ""


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """Characters that the output's encoding does not have, drawn with those of ASCII."""
    assert isinstance(error, UnicodeEncodeError)
    missing = error.object[error.start : error.end]
    return "".join(_IN_ASCII.get(character, "?") for character in missing), error.end


def _to_text(picture: Picture) -> Text:
    text = Text(no_wrap=True)
    for number, (line, styles) in enumerate(zip(picture.lines, picture.styles, strict=True)):
        text.append("\n" if number else "")
        for cell, style in zip(line, styles, strict=False):
            text.append(cell, style)
    return text
