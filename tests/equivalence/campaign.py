"""Many scripts, and a failing one made smaller before it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from time import monotonic

from hypothesis import HealthCheck, Phase, settings
from psycopg import Connection
from psycopg.rows import TupleRow

from tests.equivalence import steps as make
from tests.equivalence.database import Side
from tests.equivalence.runner import DifferenceError, Player
from tests.support.graphs import Feed

__all__ = ["SETTINGS", "check", "check_batches", "kinds_of"]

# drawn by a fixed seed; a failing script is made smaller here
SETTINGS = settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

_SHRINK_SECONDS = 60
_NEEDS: dict[type, str] = {
    make.LaunchTasks: "launch_tasks",
    make.LaunchChain: "launch_chain",
    make.Rerun: "rerun",
    make.Mark: "mark_task_run",
    make.CancelTask: "cancel_task_run",
    make.Pause: "pause_graph",
    make.Resume: "resume_graph",
    make.Wait: "reap_stale_runs",
    make.Replay: "replay",
}
"""The function a kind of step calls."""


def kinds_of(functions: Iterable[str], kinds: Iterable[type]) -> list[type]:
    """Those kinds of step that the database has."""
    known = set(functions)
    return [kind for kind in kinds if kind not in _NEEDS or _NEEDS[kind] in known]


def check(connection: Connection[TupleRow], shape: make.Shape, script: Sequence[make.Step]) -> None:
    """Play a script one by one; where the sides differ, tell the smallest script that could be found quickly."""
    _check(lambda: Player(shape, Side(connection, shape)), Player.play, script)


def check_batches(
    connection: Connection[TupleRow],
    feed: Feed,
    shape: make.Shape,
    script: Sequence[make.Step],
    sizes: Sequence[int],
) -> None:
    """The same with batches of these sizes."""
    _check(
        lambda: Player(shape, Side(connection, shape, feed)),
        lambda player, steps: player.play_batches(steps, sizes),
        script,
    )


def _check(
    begin: Callable[[], Player],
    way: Callable[[Player, Sequence[make.Step]], None],
    script: Sequence[make.Step],
) -> None:
    def play(steps: Sequence[make.Step]) -> tuple[list[make.Step], str] | None:
        player = begin()
        try:
            way(player, steps)
        except DifferenceError as error:
            return list(steps[: player.played]), str(error)
        return None

    failed = play(script)
    if failed is None:
        return
    steps, words = _smaller(*failed, play)
    told = ",\n    ".join(repr(step) for step in steps)
    raise DifferenceError(f"{words}\nas a regression:\n    {begin().shape!r},\n    {told}")


def _smaller(
    steps: list[make.Step],
    words: str,
    play: Callable[[Sequence[make.Step]], tuple[list[make.Step], str] | None],
) -> tuple[list[make.Step], str]:
    """Leave out what is not needed, first halves, then single steps; what came after the difference is gone already."""
    end = monotonic() + _SHRINK_SECONDS
    size = max(1, len(steps) // 2)
    while size and monotonic() < end:
        position, found = 0, False
        while position < len(steps) and monotonic() < end:
            fewer = steps[:position] + steps[position + size :]
            failed = play(fewer) if fewer else None
            if failed is None:
                position += size
            else:
                steps, words, found = *failed, True
        size = size if found and size == 1 else size // 2
    return steps, words
