"""Dispatches made by hand to hurt, and what each must become: `junk`, `refusal`, or a good request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.bridge_process.hostile import RAW

__all__ = ["GOOD", "HOSTILE", "INSTALLATION", "dispatch"]

INSTALLATION = "0b5f2a7e-4a0c-4b7e-9d0e-3a5d1c2b4f60"
GOOD: dict[str, Any] = {
    "v": 1,
    "type": "start",
    "installation": INSTALLATION,
    "task_run_id": 42,
    "attempt": 1,
    "graph_run_ids": [7],
    "graph": "integration",
    "run_key": "2026-11-22",
    "service": "airflow",
    "process": "noop",
    "task": "seven",
    "config": {"batch_id": "b-1", "rows": 3},
    "created_at": "2026-11-22T03:00:00.000000Z",
}


def dispatch(**fields: Any) -> bytes:
    """GOOD, with these fields."""
    return json.dumps({**GOOD, **fields}).encode()


def _deep(levels: int, of: str = "list") -> bytes:
    begin, end = ("[", "]") if of == "list" else ('{"a":', "}")
    nested = begin * levels + "1" + end * levels
    return dispatch(config={"a": "HERE"}).replace(b'"HERE"', nested.encode())


def _raw(text: str, place: str = "config") -> bytes:
    """GOOD, where `place` holds this text as it stands."""
    return dispatch(**{place: "HERE"}).replace(b'"HERE"', text.encode())


DAG_IDS: tuple[object, ...] = (
    None, "", " ", ".", "..", "...", "a..b", "../noop", "..\\noop", "noop/../other", "noop/", "/noop", "a/b", "noop/dagRuns",
    "noop%2f..", "%2e%2e", "%2e%2e%2fnoop", "noop?x=1", "noop#x", "noop;x", "noop&x=1", "no op", "noop ", " noop", "noop\n",
    "no\top", "noop\r\nX-Evil: 1", "noop\x00", "noop\x7f", "noop\u0085", "noop\u2028", "noop\u200b", "noop\u202e", "~", "*", "%",
    "$(id)", "`id`", "{{ noop }}", "${noop}", "noop' or 1=1 --", 'noop"', "noop\\", "<script>", "noop:8080", "@noop", "noop@host",
    "http://evil", "//evil/noop", "file:///etc/passwd", "\ud800", "noop\udfff", "n" * 251, "n" * 100_000, "\N{PILE OF POO}",
    "noop\u0300\u0301/", "ﬁ/le", 0, 1, 1.5, True, [], ["noop"], {}, {"dag_id": "noop"},
)  # fmt: skip
INSTALLATIONS: tuple[object, ...] = (
    None, "", " ", "x", INSTALLATION.upper(), INSTALLATION + "/../a b", INSTALLATION[:-1], INSTALLATION + "0", "{" + INSTALLATION + "}",
    INSTALLATION.replace("-", ""), INSTALLATION + "\n", " " + INSTALLATION, "0" * 36, "../" * 12, "\x00" * 36, "\ud800" * 36,
    "٠" * 8 + INSTALLATION[8:], 0, 1.5, True, [], [INSTALLATION], {}, {"id": INSTALLATION}, "x" * 10_000,
)  # fmt: skip
TASK_RUN_IDS: tuple[object, ...] = (
    None, "", "42", "x", 0, -1, -0.5, 1.5, 42.0, 1e3, 10**18, 2**63, 2**64, 10**40, 10**400, True, False, [], [42], {}, {"id": 42},
    "42/../43", "42; drop table dag_run", "٤٢",
)  # fmt: skip
OTHERS: dict[str, tuple[object, ...]] = {
    "v": (None, 0, 2, -1, 1.5, "1", "", True, [], [1], {}, 10**30),
    "type": (None, "", "stop", "START", "start ", 0, True, [], {}, ["start"], "s" * 10_000),
    "service": ("nifi", "", "AIRFLOW", "airflow ", "аirflow", 0, True, [], {}, None, "a" * 10_000, "air\x00flow", "\ud800"),
    "attempt": (0, -1, 1.5, "1", True, [], {}, 2**70, None),
    "graph": ("", "a\nb", "a\x00", "\ud800", "x" * 251, 0, True, [], {}),
    "run_key": ("", "a\nb", "a\x00", "\udc00", "x" * 251, 20261122, True, [], {}),
    "task": ("", "a\nb", "a\x00", "\x1b[31m", "x" * 251, 0, True, [], {}),
    "graph_run_ids": ("7", 7, True, {}, [0], [-1], ["7"], [1.5], [True], [None], [[7]], [2**70], [1] * 10_001, None),
    "config": ("", "x", 0, 1.5, True, [], [{}], None),
}  # fmt: skip
CONFIGS: tuple[bytes, ...] = (
    dispatch(config={"orchestration": {"installation": INSTALLATION, "task_run_id": 1}}),
    dispatch(config={"orchestration": None}),
    dispatch(config={"a": "nul \x00"}), dispatch(config={"nul \x00": 1}), dispatch(config={"a": [{"b": "\x00"}]}),
    dispatch(config={"a": "\ud800"}), dispatch(config={"\udfff": 1}), dispatch(config={"a": ["\ud83d"]}),
    dispatch(config={"a": 2**63}), dispatch(config={"a": -(2**63) - 1}), dispatch(config={"a": 2**64}),
    dispatch(config={"a": [[10**19]]}), dispatch(config={"a": 10**400}), _raw('{"a": ' + "9" * 5_000 + "}"),
    _raw('{"a": 1e999}'), _raw('{"a": -1e999}'), _raw('{"a": NaN}'), _raw('{"a": Infinity}'), _raw('{"a": [-Infinity]}'),
    _deep(64), _deep(65), _deep(900), _deep(5_000), _deep(100_000), _deep(64, "object"), _deep(1_000, "object"),
    _deep(50_000, "object"), dispatch(config={"a": "x" * 2**20}), dispatch(config={"x" * 2**20: 1}),
    dispatch(padding="x" * 2**20), dispatch(config={str(i): "x" * 20 for i in range(40_000)}),
)  # fmt: skip
ODD_BUT_GOOD: tuple[bytes, ...] = (
    dispatch(config={}), dispatch(config={"a": None}), dispatch(process="d" * 250), dispatch(process="a.b-c_d.1"),
    dispatch(process="verkäufe"), dispatch(config={"a": "\N{PILE OF POO} \x01\x1b[31m\u2028"}), dispatch(config={"a": 2**63 - 1}),
    dispatch(config={"a": -(2**63)}), _deep(60), dispatch(config={"__type": "x", "__var": {}, "__class__": "os.system"}),
    dispatch(config={"a": "{{ macros.os.system('id') }}"}), dispatch(config={"": ""}), dispatch(config={"a": 1e308}),
    dispatch(task_run_id=10**18 - 1), dispatch(run_key=None, graph=None, graph_run_ids=[]), dispatch(unknown={"x": [1]}),
    dispatch(config={"run_id": "../x", "dag_id": "other", "logical_date": "now"}), dispatch(config={"a": "x" * 900_000}),
)  # fmt: skip


def _cases() -> Iterator[tuple[bytes, str]]:
    for value in RAW:
        yield value, "junk"
    for whole in (_raw("{", "task_run_id"), dispatch()[:-1], dispatch() + b"}", b"[" + dispatch() + b"]"):
        yield whole, "junk"
    for task_run_id in TASK_RUN_IDS:
        yield dispatch(task_run_id=task_run_id), "junk"
    for dag_id in DAG_IDS:
        yield dispatch(process=dag_id), "refusal"
    for installation in INSTALLATIONS:
        yield dispatch(installation=installation), "refusal"
    for name, values in OTHERS.items():
        for each in values:
            yield dispatch(**{name: each}), "refusal"
    for value in CONFIGS:
        yield value, "refusal"
    for value in ODD_BUT_GOOD:
        yield value, "request"


HOSTILE: tuple[tuple[bytes, str], ...] = tuple(dict.fromkeys(_cases()))
