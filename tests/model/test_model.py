"""The model against the tables and sentences of SPEC 4.2 to 4.5: small, pure, milliseconds."""

from __future__ import annotations

import pytest

from tests.model.play import FIRST, SECOND, Play

MEETING = {"first": FIRST["first"], "second": f"{SECOND['second']} 4-6"}
WIDE = {"wide": "1-2 1-3 5-3 5-6"}
THREE = {"three": "1-2 1-3 5-3 5-6 9-3"}


@pytest.mark.parametrize(
    ("graphs", "script", "picture"),
    [
        (FIRST, "6", ["first#1 RUNNING 6S 7D 8. 9."]),
        (FIRST, "6 first#1/7", ["first#1 RUNNING 6S 7S 8D 9D"]),
        (FIRST, "6 7 8 9", ["first#1 SUCCESS 6S 7S 8S 9S"]),
        (FIRST, "6 7 8! 9", ["first#1 FAILED 6S 7S 8F 9S"]),
        (FIRST, "6 7!", ["first#1 FAILED 6S 7F 8X 9X"]),
        (FIRST, "6 7~", ["first#1 SUCCESS 6S 7K 8X 9X"]),
        (FIRST, "6!", ["first#1 FAILED 6F 7X 8X 9X"]),
        (FIRST, "6~", ["first#1 SUCCESS 6K 7X 8X 9X"]),
        (FIRST, "6 7?", ["first#1 RUNNING 6S 7R 8. 9."]),
        (SECOND, "1", ["second#1 RUNNING 1S 2D 3. 4D 5."]),
        (SECOND, "5", ["second#1 RUNNING 1. 2. 3. 4. 5S"]),
        (SECOND, "1 5", ["second#1 RUNNING 1S 2D 3D 4D 5S"]),
        (SECOND, "5 1", ["second#1 RUNNING 1S 2D 3D 4D 5S"]),
        (SECOND, "1 2 4 5 3", ["second#1 SUCCESS 1S 2S 3S 4S 5S"]),
        (SECOND, "1 2! 4 5", ["second#1 RUNNING 1S 2F 3D 4S 5S"]),
        (SECOND, "1! 5", ["second#1 FAILED 1F 2X 3X 4X 5S"]),
        (SECOND, "5! 1", ["second#1 RUNNING 1S 2D 3X 4D 5F"]),
        (SECOND, "5!", ["second#1 RUNNING 1. 2. 3X 4. 5F"]),
        ({"one": "a-b a-c b-d c-d d-e"}, "a b! c", ["one#1 FAILED aS bF cS dX eX"]),
    ],
)
def test_flow(graphs: dict[str, str], script: str, picture: list[str]) -> None:
    assert Play(graphs)(script).picture == picture


@pytest.mark.parametrize(
    ("script", "picture"),
    [
        ("1 4", ["second#1 RUNNING 1S 2D 3. 4S 5. 6D"]),
        ("1 4 6", ["second#1 RUNNING 1S 2D 3. 4S 5. 6S", "first#1 RUNNING 6S=second#1 7D 8. 9."]),
        ("1 4 6 7", ["second#1 RUNNING 1S 2D 3. 4S 5. 6S", "first#1 RUNNING 6S=second#1 7S 8D 9D"]),
        ("1 4 6!", ["second#1 RUNNING 1S 2D 3. 4S 5. 6F"]),
        ("1 4 6~", ["second#1 RUNNING 1S 2D 3. 4S 5. 6K"]),
        # 6 by itself: a root of the first graph, no matter of the second
        ("6", ["first#1 RUNNING 6S 7D 8. 9."]),
        # the key crosses, and keeps the runs apart
        (
            "1@k 4@k 6@k",
            ["second[k]#1 RUNNING 1S 2D 3. 4S 5. 6S", "first[k]#1 RUNNING 6S=second[k]#1 7D 8. 9."],
        ),
    ],
)
def test_graphs_that_meet(script: str, picture: list[str]) -> None:
    assert Play(MEETING)(script).picture == picture


def test_crossing_joins_the_run_that_awaits_the_task() -> None:
    play = Play({"one": "a-b", "two": "b-c d-c"})
    assert play("d a b").picture == ["two#1 RUNNING bS cD dS", "one#1 SUCCESS aS bS=two#1"]


def test_a_root_of_two_graphs_opens_both_and_is_one_task_run() -> None:
    play = Play({"one": "a-b", "two": "a-c"})
    assert play("a").picture == ["one#1 RUNNING aS bD", "two#1 RUNNING aS=one#1 cD"]


TABLE = {
    "1a": ["second#1 RUNNING 1S 2D 3. 4D 5."],
    "1b": ["second#1 RUNNING(coalesced) 1S 2D 3x 4D 5x", "second#2 RUNNING 1S 2D 3. 4D 5."],
    "5a": ["second#1 RUNNING(coalesced) 1S 2D 3x 4D 5x", "second#2 RUNNING 1S 2D 3D 4D 5S"],
    "5b": [
        "second#1 RUNNING(coalesced) 1S 2D 3x 4D 5x",
        "second#2 RUNNING 1S 2D 3D 4D 5S",
        "second#3 RUNNING 1. 2. 3. 4. 5S",
    ],
}


def test_the_row_latest() -> None:
    """The table of 4.3: 1a, 1b, 5a, 5b without key."""
    play = Play(SECOND)
    for step, picture in TABLE.items():
        assert play(step[0]).picture == picture, step


LATEST = {
    "what A had started ends there, with A's reason": (
        SECOND,
        "1 1 second#1/2 second#1/4",
        ["second#1 SUCCESS(coalesced) 1S 2S 3x 4S 5x", "second#2 RUNNING 1S 2D 3. 4D 5."],
    ),
    "a failure in what A had started": (
        SECOND,
        "1 1 second#1/2! second#1/4",
        ["second#1 FAILED(coalesced) 1S 2F 3x 4S 5x", "second#2 RUNNING 1S 2D 3. 4D 5."],
    ),
    "the other root repeated": (
        SECOND,
        "5 5 1",
        ["second#1 SUCCESS(coalesced) 1x 2x 3x 4x 5S", "second#2 RUNNING 1S 2D 3D 4D 5S"],
    ),
    "tasks not downstream are shared, in flight": (
        THREE,
        "1 5 1",
        [
            "three#1 RUNNING(coalesced) 1S 2D 3x 5S 6D 9x",
            "three#2 RUNNING 1S 2D 3. 5S=three#1 6D=three#1 9.",
        ],
    ),
    "and end in both": (
        THREE,
        "1 5 1 6 three#1/2 9 3",
        [
            "three#1 SUCCESS(coalesced) 1S 2S 3x 5S 6S 9x",
            "three#2 RUNNING 1S 2D 3S 5S=three#1 6S=three#1 9S",
        ],
    ),
    "a failed root is no repeat: its success takes over": (
        SECOND,
        "1! 1",
        ["second#1 FAILED(coalesced) 1F 2X 3X 4X 5x", "second#2 RUNNING 1S 2D 3. 4D 5."],
    ),
    "also of an open run that awaits nothing": (
        WIDE,
        "1! 5 1",
        ["wide#1 RUNNING 1F 2X 3X 5S 6D", "wide#2 RUNNING 1S 2D 3D 5S=wide#1 6D=wide#1"],
    ),
    "without key not after its end": (
        SECOND,
        "1! 5 1",
        ["second#1 FAILED 1F 2X 3X 4X 5S", "second#2 RUNNING 1S 2D 3. 4D 5."],
    ),
    "a failure repeated while A awaits roots": (
        SECOND,
        "1! 1!",
        ["second#1 FAILED(coalesced) 1F 2X 3X 4X 5x", "second#2 RUNNING 1F 2X 3X 4X 5."],
    ),
    "a failure repeated where A awaits nothing opens": (
        WIDE,
        "1! 5 1!",
        ["wide#1 RUNNING 1F 2X 3X 5S 6D", "wide#2 RUNNING 1F 2X 3X 5. 6."],
    ),
    "a failed report takes over as any": (
        SECOND,
        "1 1!",
        ["second#1 RUNNING(coalesced) 1S 2D 3x 4D 5x", "second#2 RUNNING 1F 2X 3X 4X 5."],
    ),
    "skips shared stay skipped": (
        SECOND,
        "5! 5! 1",
        ["second#1 FAILED(coalesced) 1x 2x 3X 4x 5F", "second#2 RUNNING 1S 2D 3X 4D 5F"],
    ),
    "a single root without key is always new": (
        FIRST,
        "6 6",
        ["first#1 RUNNING 6S 7D 8. 9.", "first#2 RUNNING 6S 7D 8. 9."],
    ),
    "with a key a repeat is a correction, also after the end": (
        SECOND,
        "1@k 5@k 2@k 3@k 4@k 1@k",
        ["second[k]#1 SUCCESS 1S 2S 3S 4S 5S", "second[k]#2 RUNNING 1S 2D 3D 4D 5S=second[k]#1"],
    ),
    "from the other root": (
        SECOND,
        "1@k 5@k 2@k 3@k 4@k 5@k",
        [
            "second[k]#1 SUCCESS 1S 2S 3S 4S 5S",
            "second[k]#2 RUNNING 1S=second[k]#1 2S=second[k]#1 3D 4S=second[k]#1 5S",
        ],
    ),
    "also while it runs": (
        FIRST,
        "6@k 6@k",
        ["first[k]#1 RUNNING(coalesced) 6S 7D 8x 9x", "first[k]#2 RUNNING 6S 7D 8. 9."],
    ),
    "a failed root with a key, after the end": (
        SECOND,
        "1!@k 5@k 1@k",
        ["second[k]#1 FAILED 1F 2X 3X 4X 5S", "second[k]#2 RUNNING 1S 2D 3D 4D 5S=second[k]#1"],
    ),
    "a correction of a correction takes over the newest": (
        FIRST,
        "6@k 6@k 6@k",
        [
            "first[k]#1 RUNNING(coalesced) 6S 7D 8x 9x",
            "first[k]#2 RUNNING(coalesced) 6S 7D 8x 9x",
            "first[k]#3 RUNNING 6S 7D 8. 9.",
        ],
    ),
    "keys never meet": (
        SECOND,
        "1@k 5 5@m",
        [
            "second[k]#1 RUNNING 1S 2D 3. 4D 5.",
            "second#1 RUNNING 1. 2. 3. 4. 5S",
            "second[m]#1 RUNNING 1. 2. 3. 4. 5S",
        ],
    ),
}


@pytest.mark.parametrize("name", LATEST)
def test_latest(name: str) -> None:
    graphs, script, picture = LATEST[name]
    assert Play(graphs)(script).picture == picture


REDONE = {
    "the other graph's new run takes over": (
        "1 4 6 1 second#2/4 second#2/6",
        [
            "second#1 RUNNING(coalesced) 1S 2D 3x 4S 5x 6S",
            "first#1 RUNNING(coalesced) 6S=second#1 7D 8x 9x",
            "second#2 RUNNING 1S 2D 3. 4S 5. 6S",
            "first#2 RUNNING 6S=second#2 7D 8. 9.",
        ],
    ),
    "over a run that never came to 6": (
        "1 4 6 1 1 second#3/4 second#3/6",
        [
            "second#1 RUNNING(coalesced) 1S 2D 3x 4S 5x 6S",
            "first#1 RUNNING(coalesced) 6S=second#1 7D 8x 9x",
            "second#2 RUNNING(coalesced) 1S 2D 3x 4D 5x 6x",
            "second#3 RUNNING 1S 2D 3. 4S 5. 6S",
            "first#2 RUNNING 6S=second#3 7D 8. 9.",
        ],
    ),
    "nothing was redone: simply new": (
        "1 4 6 5 1 second#2/4 second#2/6",
        [
            "second#1 RUNNING 1S 2D 3D 4S 5S 6S",
            "first#1 RUNNING 6S=second#1 7D 8. 9.",
            "second#2 RUNNING 1S 2D 3. 4S 5. 6S",
            "first#2 RUNNING 6S=second#2 7D 8. 9.",
        ],
    ),
}


@pytest.mark.parametrize("name", REDONE)
def test_redone_where_graphs_meet(name: str) -> None:
    script, picture = REDONE[name]
    assert Play(MEETING)(script).picture == picture


def test_a_redone_task_takes_over_where_it_stood_whoever_awaits_it() -> None:
    play = Play({"one": "1-4 1-3 5-3 4-6", "two": "6-7 10-7"})
    play("1 4 6 10 10 1 one#2/4 one#2/6")
    assert play.picture == [
        "one#1 SUCCESS(coalesced) 1S 3x 4S 5x 6S",
        "two#1 RUNNING 10S 6S=one#1 7D",
        "two#2 RUNNING 10S 6. 7.",
        "one#2 RUNNING 1S 3. 4S 5. 6S",
        "two#3 RUNNING 10S=two#1 6S=one#2 7D",
    ]


# 4.5: versions


def test_a_run_finishes_under_its_version() -> None:
    play = Play(FIRST)
    play("6").engine.catalog.edit("first", remove=[("7", "9")])
    play("first#1/7 6 first#2/7")
    assert play.picture == ["first#1 RUNNING 6S 7S 8D 9D", "first#2 RUNNING 6S 7S 8D"]


def test_take_over_moves_to_the_current_version() -> None:
    play = Play({"g": "1-2 1-3 5-3", "other": "1-4"})
    play("1")
    play.engine.catalog.edit("other", remove=[("1", "4")])
    play.engine.catalog.edit("g", add=[("1", "4"), ("4", "3")], remove=[("1", "2")])
    play("1 5")
    assert play.picture == [
        "g#1 RUNNING(coalesced) 1S 2D 3x 5x",
        "other#1 RUNNING 1S=g#1 4D",
        "g#2 RUNNING 1S 3. 4D 5S",
    ]


def test_a_task_new_beside_the_repeated_root_starts_at_once() -> None:
    play = Play(THREE)
    play("1 5").engine.catalog.edit("three", add=[("5", "2")])
    assert play("1").picture[1:] == ["three#2 RUNNING 1S 2D 3. 5S=three#1 6D=three#1 9."]
    play = Play({"g": "1-2 1-3 5-3 9-3", "spare": "7-8"})
    play("1 5").engine.catalog.edit("g", add=[("5", "8")])
    assert play("9").picture == ["g#1 RUNNING 1S 2D 3D 5S 9S"]
    play = Play({"g": "1-2 1-3 5-3 9-3", "spare": "7-8"})
    play("1 5").engine.catalog.edit("g", add=[("5", "8")])
    assert play("1").picture[1:] == ["g#2 RUNNING 1S 2D 3. 5S=g#1 8D 9."]


def test_a_root_gone_from_the_current_version_still_joins_the_run_that_awaits_it() -> None:
    play = Play({"g": "1-2 5-2", "spare": "5-9"})
    play("1").engine.catalog.edit("g", remove=[("5", "2")])
    assert play("5").picture == ["g#1 RUNNING 1S 2D 5S", "spare#1 RUNNING 5S=g#1 9D"]
