"""Short scripts against the model, and its state in one line a graph run.

A script is words: `1` task 1 reported SUCCESS by its tool, without ids; `1!` FAILED, `1~` SKIPPED, `1?` RUNNING;
`1@k` with run key k, `1:x` with external_id x, `1#e` with event_id e (`1!@k:x#e` in that order). `second#1/2`: the
task run of 2 in the first run of graph `second` ends SUCCESS (`!`, `~`, `?` as above); with a key, `second[k]#1/2`.

A picture is `second#1 RUNNING 1S 2D 3. 4D 5.`: S success, F failed, R running, D dispatched, C cancelled, K reported
skipped, X skipped because of a task before it, x skipped because another run took over or a person cancelled, s the same
by hand, t by the run's time-out, Q queued, `.` nothing yet; `5S=second#1` is shared with that run, the first it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.model.definitions import Service
from tests.model.engine import Engine, Outcome
from tests.model.snapshot import of_engine
from tests.model.state import GraphRun

__all__ = ["FIRST", "SECOND", "Play"]

NIFI = Service("nifi", dispatchable=False)
RUNNER = Service("runner")
AIRFLOW = Service("airflow", echoes_ids=True)

FIRST = {"first": "6-7 7-8 7-9"}
SECOND = {"second": "1-2 1-3 5-3 1-4"}

_REPORT = re.compile(
    r"(?P<task>\w+)(?P<status>[!~?]?)(@(?P<run_key>\w+))?(:(?P<external_id>\w+))?(#(?P<event_id>\w+))?$"
)
_END = re.compile(r"(?P<name>\w+(\[\w+\])?#\d+/\w+)(?P<status>[!~?]?)$")
_STATUS = {"": "SUCCESS", "!": "FAILED", "~": "SKIPPED", "?": "RUNNING"}
_LETTER = {
    "SUCCESS": "S", "FAILED": "F", "RUNNING": "R", "DISPATCHED": "D", "CANCELLED": "C", "QUEUED": "Q", "SKIPPED": "K"
}  # fmt: skip


class Play:
    """An engine with graphs. Tasks that come after nothing are of `nifi`, which only reports; others of `runner`."""

    def __init__(self, graphs: dict[str, str], services: dict[str, Service] | None = None) -> None:
        self.engine = Engine()
        chains = {name: [_pair(word) for word in text.split()] for name, text in graphs.items()}
        after = {pair[1] for pairs in chains.values() for pair in pairs}
        for task in sorted({task for pairs in chains.values() for pair in pairs for task in pair}):
            service = RUNNER if task in after else NIFI
            self.engine.catalog.add_task(task, (services or {}).get(task, service))
        for name, pairs in chains.items():
            self.engine.catalog.add_graph(name, pairs)

    def __call__(self, script: str) -> Play:
        """Play a script; every word must find its execution."""
        for word in script.split():
            outcome = self.word(word)
            assert outcome.kind == "applied", f"{word}: {outcome}"
        return self

    def word(self, word: str) -> Outcome:
        """Play one word."""
        ended = _END.match(word)
        if ended:
            status = _STATUS[ended["status"]]
            return self.engine.report({"task_run_id": self.task_run(ended["name"]), "status": status})
        told = _REPORT.match(word)
        assert told, word
        fields = {name: told[name] for name in ("run_key", "external_id", "event_id")}
        return self.report(told["task"], _STATUS[told["status"]], **fields)

    def report(self, task: str, status: str, **fields: str | None) -> Outcome:
        """An event of a tool that says service, process and task, and `fields`."""
        known = self.engine.catalog.tasks[task]
        return self.engine.report(
            {
                **fields,
                "service": known.service.name,
                "process": known.process,
                "task": task,
                "status": status,
            }
        )

    def task_run(self, name: str) -> int:
        """The id behind `second#1/2`."""
        run, task = name.split("/")
        return next(
            held.id
            for each, title in self._titles()
            if title == run and (held := each.current(task)) is not None
        )

    def graph_run(self, name: str) -> int:
        """The id behind `second#1`."""
        return next(run.id for run, title in self._titles() if title == name)

    @property
    def picture(self) -> list[str]:
        """One line a graph run, in the order of their making."""
        titles = {run.id: title for run, title in self._titles()}
        lines = []
        for run, title in self._titles():
            reason = f"({run.reason})" if run.reason else ""
            places = " ".join(self._place(run, task, titles) for task in sorted(run.version.tasks))
            lines.append(f"{title} {run.status}{reason} {places}")
        return lines

    def _titles(self) -> Iterable[tuple[GraphRun, str]]:
        names = of_engine(self.engine).graph_runs
        return [(run, names[run.id].replace("[-]", "")) for run in self.engine.world.graph_runs]

    def _place(self, run: GraphRun, task: str, titles: dict[int, str]) -> str:
        held = run.current(task)
        if held is None:
            return f"{task}."
        first = self.engine.world.runs_of(held)[0]
        letter = {"upstream": "X", "coalesced": "x", "cancelled": "x", "superseded": "s", "timeout": "t"}.get(
            held.reason or "", _LETTER[held.status]
        )
        letter = letter if held.status == "SKIPPED" else _LETTER[held.status]
        return f"{task}{letter}" + ("" if first is run else f"={titles[first.id]}")


def _pair(word: str) -> tuple[str, str]:
    before, _, after = word.partition("-")
    return before, after
