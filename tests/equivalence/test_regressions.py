"""What random scripts found once: each is played again, as short as it could be made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from tests.equivalence import steps as make
from tests.equivalence.database import Side
from tests.equivalence.runner import Player
from tests.equivalence.shapes import AIRFLOW, NIFI, RUNNER
from tests.model.definitions import Task
from tests.support.databases import Database

SUCCESS, FAILED = "SUCCESS", "FAILED"


def shape(graphs: dict[str, str], nifi: str = "", echoing: str = "", **more: Any) -> make.Shape:
    """Tasks by letter: those of `nifi` only report, those of `echoing` echo ids. `more`: of the Shape, and of tasks."""
    chains = {name: tuple((word[0], word[-1]) for word in text.split()) for name, text in graphs.items()}
    names = sorted({task for pairs in chains.values() for pair in pairs for task in pair})
    services = {name: NIFI if name in nifi else AIRFLOW if name in echoing else RUNNER for name in names}
    tasks = tuple(Task(name, services[name], name, **more.pop(name, {})) for name in names)
    return make.Shape(tasks, chains, **more)


MEETING = shape({"one": "1-4 1-3 5-3 4-6", "two": "6-7 9-7"}, nifi="159")
FOUND: dict[str, tuple[make.Shape, Sequence[make.Step]]] = {
    "a run whose tasks had all started bears no reason when it is taken over": (
        shape({"g": "a-b a-c"}, nifi="a"),
        [make.Report(0, key="m"), make.Report(0, key="m"), make.Answer(0), make.Answer(0)],
    ),
    "an edit that takes a root away is seen by the next event": (
        shape({"g": "a-b c-d"}),
        [make.Report(2, status=FAILED, key="k"), make.Edit(0, 3, 0), make.Report(0, key="m")],
    ),
    "marked right after an edit": (
        shape({"g": "a-b c-d d-f e-f", "h": "a-c b-d d-e"}),
        [make.LaunchChain(9), make.Answer(0, FAILED), make.Edit(1, 1, 4), make.Mark(0, ended=True)],
    ),
    "rerun right after an edit": (
        shape({"g": "a-b b-c"}),
        [make.Launch(0), make.Answer(0, FAILED), make.Edit(0, 0, 2), make.Rerun(0)],
    ),
    "a redone task takes over where it stood, though another run awaits it": (
        MEETING,
        [
            *(make.Report(0), make.Answer(0), make.Answer(0), make.Report(6), make.Report(6), make.Report(0)),
            *(make.Answer(1), make.Answer(1), make.Answer(2)),
        ],
    ),
    "the same by a rerun": (
        shape({"g": "a-b", "h": "b-c a-e"}, nifi="a"),
        [make.Report(0), make.Answer(0), make.Rerun(0, (1,)), make.Report(0), make.Answer(2)],
    ),
    "a retry that waits is skipped where a repeat does it anew": (
        shape({"g": "e-f", "h": "a-e"}, f={"max_attempts": 2}),
        [make.Report(1), make.Answer(0, FAILED), make.Report(1)],
    ),
    "a cancelled task is what failed": (
        shape({"g": "a-b"}),
        [make.Launch(0), make.CancelTask(0), make.Rerun(0)],
    ),
    "two graphs paused, one resumed": (
        shape({"g": "a-b", "h": "a-c"}),
        [make.Pause(0), make.Pause(1), make.Report(0, key="k"), make.Resume(0)],
    ),
    "a graph run's time-out counts from when an event opened it": (
        shape({"g": "a-b a-c"}, nifi="a", timeouts={"g": 5000}),
        [make.Report(0), make.Answer(0), make.Wait(4000), make.Wait(), make.Wait(1000)],
    ),
    "time-outs count though a resend waits to be sent": (
        shape({"g": "a-b"}, nifi="a", b={"timeout": 700, "ack_timeout": 200}),
        [make.Report(0), make.Deliver(), make.Wait(1000)],
    ),
    "a dispatch whose delivery nobody confirmed times out after RUNNING": (
        shape({"g": "a-b"}, nifi="a", b={"timeout": 700, "max_attempts": 2}),
        [make.Report(0), make.Answer(0, "RUNNING"), make.Wait(1000)],
    ),
    "an event id is forgotten after 14 days": (
        shape({"g": "a-b", "h": "a-c"}, nifi="a"),
        [make.Report(0, status=FAILED, event_id="e"), make.Wait(15 * 86_400), make.Repeat(0)],
    ),
    "what a plain UPDATE cancels is not sent": (
        shape({"g": "a-b"}, nifi="a"),
        [make.Report(0), make.Update(((1, "CANCELLED"),))],
    ),
    "work that goes on while its graph is archived: its end is expected nowhere": (
        shape({"g": "a-b c-d", "h": "b-c"}),
        [make.Report(2, status="RUNNING", key="m"), make.Archive(0), make.Report(2)],
    ),
    "the same where an edit took the root away": (
        shape({"g": "a-b c-d"}),
        [make.Report(2, status="RUNNING", key="m"), make.Edit(0, 1, 2), make.Report(2)],
    ),
    "such an end is replayed": (
        shape({"g": "a-b c-d", "h": "b-c"}),
        [
            *(make.Report(1, key="n"), make.Report(2, status="RUNNING", key="m"), make.Archive(0)),
            *(
                make.Report(2, key="m"),
                make.Replay(0),
                make.Archive(0),
                make.Report(2, key="m"),
                make.Replay(1),
            ),
        ],
    ),
    "the wait for an acknowledgement is what it was at dispatch": (
        shape({"g": "a-b"}, nifi="a", b={"timeout": 700}),
        [
            *(make.Report(0), make.Deliver(), make.Wait(100), make.Redefine(1, ack_timeout=200)),
            *(make.Wait(250), make.Wait(1000)),
        ],
    ),
    "a RUNNING replayed after another execution of the task has ended": (
        shape({"g": "a-b"}),
        [
            *(make.Report(1, status="RUNNING"), make.Report(0, external_id="x"), make.Archive(0)),
            *(make.Answer(0), make.Replay(0)),
        ],
    ),
    "an end replayed after the same end was marked is late": (
        shape({"g": "a-d"}, echoing="d"),
        [
            *(make.Report(0, key="k"), make.Report(1, key="k", event_id="e")),
            *(make.Update(((0, "SUCCESS"),)), make.Replay(0)),
        ],
    ),
    "a chain in no graph crosses as any run": (
        shape({"g": "a-b a-c", "h": "a-e b-e"}),
        [make.Edit(0, 0, 1), make.LaunchChain(0, key="k"), make.Answer(0)],
    ),
}


@pytest.fixture(scope="module")
def connection(module_database: Database) -> Iterator[Connection[TupleRow]]:
    with module_database.connect() as made:
        yield made


@pytest.mark.parametrize("name", FOUND)
def test_found_once(connection: Connection[TupleRow], name: str) -> None:
    world, script = FOUND[name]
    Player(world, Side(connection, world)).play(script)
