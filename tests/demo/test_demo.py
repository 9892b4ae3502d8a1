"""`make demo` from its first line to its last, on servers of its own and on the user's."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from confluent_kafka import Consumer

from stack.layout import ROOT, Layout
from stack.process import await_true, port_is_free
from tests.support.databases import Database
from tests.support.servers import KafkaServer

QUICK = ("--pace", "0.1", "0.3")


class Demo:
    """One demo as a process, in a folder of the test's; `said` is all it has written so far."""

    def __init__(self, folder: Path, *words: str, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._log = folder.with_suffix(".log")
        with self._log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "stack.demo", "--folder", folder, *QUICK, *words],
                cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=out, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip

    @property
    def said(self) -> str:
        return self._log.read_text()

    def wait_for(self, words: str) -> None:
        assert await_true(lambda: words in self.said or self.process.poll() is not None, 120), self.said
        assert words in self.said

    def end(self, seconds: float = 180) -> int:
        return self.process.wait(seconds)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def ports(self) -> list[int]:
        """Of the servers it has started."""
        return [int(port) for port in re.findall(r"(?:PostgreSQL|Kafka): 127\.0\.0\.1:(\d+)", self.said)]

    def remains(self) -> list[str]:
        """Processes of its servers, their ports and their data."""
        shown = subprocess.run(
            ["ps", "axww", "-o", "pid=,args="], capture_output=True, text=True, check=True
        ).stdout
        shared = Path("/var/tmp") / Layout(self.folder).name
        pids = [number for name in ("bridge", "executor, not Airflow") for number in self._pids(name)]
        found = [line for line in shown.splitlines() if str(self.folder) in line or str(shared) in line]
        found += [line for line in shown.splitlines() if line.split()[0] in pids]
        found += [f"port {port}" for port in self.ports if not port_is_free(port)]
        return found + [str(path) for path in (self.folder, shared) if path.exists()]

    def _pids(self, name: str) -> list[str]:
        return re.findall(rf"{name}.*\(pid (\d+)\)", self.said)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, broker: KafkaServer) -> Iterator[Demo]:
    """A demo that has ended. `broker`: fails in its own words where only the fallback can be had."""
    demo = Demo(tmp_path_factory.mktemp("demo") / "run")
    try:
        demo.end()
        yield demo
    finally:
        demo.kill()


def test_it_succeeds(shown: Demo) -> None:
    assert shown.process.returncode == 0, shown.said
    for claim in (
        "one graph run each of integration and load, both SUCCESS",
        "each of the 9 tasks ran exactly once",
        "6 is one task run that stands in both graph runs",
        "nothing is left over: no dispatch unsent, no dead letter",
    ):
        assert f"✓ {claim}\n" in shown.said


def test_it_says_who_answers_the_dispatches(shown: Demo) -> None:
    assert "stand-in executor, not Airflow (pid " in shown.said


def test_it_shows_what_happens_in_the_order_of_time(shown: Demo) -> None:
    told = re.findall(r"^ *\+([\d.]+) s  (.+)$", shown.said, re.MULTILINE)
    assert [float(seconds) for seconds, _ in told] == sorted(float(seconds) for seconds, _ in told)
    words = [re.sub(r"task run \d+", "task run N", line) for _, line in told]
    assert {"nifi       1 SUCCESS", "nifi       5 SUCCESS", "graph run  2 of load opened"} <= set(words)
    for name in "2346789":
        assert f"bridge     {name} dispatched: task run N to dag_{name}" in words
        assert f"stand-in   {name} SUCCESS" in words
    for before, after in (
        ("1 SUCCESS", "2 dispatched"),
        ("4 SUCCESS", "6 dispatched"),
        ("6 SUCCESS", "7 dispatched"),
    ):
        assert shown.said.index(before) < shown.said.index(after)


def test_it_draws_every_graph_run(shown: Demo) -> None:
    assert re.search(r"graph run 1  integration  SUCCESS in [\d.]+ s\n╭", shown.said)
    assert re.search(r"graph run 2  load  SUCCESS in [\d.]+ s\n╔", shown.said)
    assert re.search(r"║ 6  dag_6  shared ║$", shown.said, re.MULTILINE)
    assert re.search(r"^║ 6  dag_6  shared ╟──►│ 7  dag_7 ", shown.said, re.MULTILINE)
    assert re.search(r"│ waited [\d.]+ s for 5 │", shown.said)


def test_it_says_when_each_task_ran_and_for_whom_it_waited(shown: Demo) -> None:
    clock = r"\d\d:\d\d:\d\d\.\d{3}"
    for name in "123456789":
        assert re.search(rf"^{name}     ✓ SUCCESS  {clock}  {clock} +[\d.]+ s ", shown.said, re.MULTILINE)
    waited = re.search(r"3 waited ([\d.]+) s for 5", shown.said)
    assert waited
    assert 0.1 < float(waited.group(1)) < 60
    assert "after 4; stands in graph run 2 too" in shown.said
    assert "root, stands in graph run 1 too" in shown.said


def test_it_ends_with_one_line_of_figures(shown: Demo) -> None:
    found = re.search(
        r"^2 graph runs, 9 task runs, (\d+) events, 7 dispatches.*, 9 hops; "
        r"event → dispatch p50 (\d+) ms, p99 (\d+) ms \(Kafka timestamps\); [\d.]+ s from .*, ([\d.]+) s in all$",
        shown.said,
        re.MULTILINE,
    )
    assert found, shown.said
    events, middle, tail, seconds = (float(number) for number in found.groups())
    assert events >= 4 + 7 * 3
    assert 0 < middle <= tail < 1000 * seconds


def test_it_leaves_nothing(shown: Demo) -> None:
    assert len(shown.ports) == 2
    assert shown.remains() == []
    assert shown.said.endswith("everything stopped, its data dropped\n")


def test_a_signal_in_the_middle_leaves_nothing_either(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "run")
    try:
        demo.wait_for("nifi       1 SUCCESS")
        assert len(demo.remains()) > 2  # what the test looks for is to be found
        os.killpg(demo.process.pid, signal.SIGINT)  # as a terminal does
        assert demo.end(60) == 128 + signal.SIGINT
        assert demo.remains() == []
        assert "Traceback" not in demo.said
    finally:
        demo.kill()


@pytest.mark.long
def test_what_a_killed_demo_left_is_dropped_by_the_next(tmp_path: Path) -> None:
    first = Demo(tmp_path / "run")
    second: Demo | None = None
    try:
        first.wait_for("nifi       1 SUCCESS")
        refused = Demo(tmp_path / "run", "--limit", "1")
        assert refused.end() == 1
        assert "error: another demo runs in" in refused.said
        first.kill()
        assert first.remains() != []
        second = Demo(tmp_path / "run")
        assert second.end() == 0, second.said
        assert second.remains() == []
    finally:
        first.kill()
        if second is not None:
            second.kill()


# -- servers of the user's ------------------------------------------------------------------------------------------


def environment(database: Database, broker: KafkaServer) -> dict[str, str]:
    return {**database.environment, "ORCHESTRATION_KAFKA_BOOTSTRAP": broker.bootstrap}


def run(folder: Path, *words: str, environment: Mapping[str, str]) -> Demo:
    demo = Demo(folder, *words, environment=environment)
    try:
        demo.end()
    finally:
        demo.kill()
    return demo


def test_on_servers_of_the_users_a_failed_task_ends_it_with_1(
    database: Database, topics: KafkaServer, tmp_path: Path
) -> None:
    demo = run(tmp_path / "run", "--fail", "6", environment=environment(database, topics))
    assert demo.process.returncode == 1
    assert "✗ one graph run each of integration and load, both SUCCESS: integration: FAILED" in demo.said
    assert re.search(r"│ 6  dag_6 +│$", demo.said, re.MULTILINE)
    assert re.search(r"│ ✗ FAILED [\d.]+ s +│$", demo.said, re.MULTILINE)
    assert f"data and logs stay in {demo.folder} until the next demo" in demo.said
    assert (demo.folder / "logs" / "bridge.log").exists()
    assert "the demo's graphs and messages stay in your PostgreSQL and Kafka" in demo.said
    with database.connect() as connection:
        row = connection.execute("select status from orchestration.graph_run").fetchone()
    assert row == ("FAILED",)


@pytest.mark.long
def test_servers_of_the_users_are_used_again_and_again(
    database: Database, topics: KafkaServer, tmp_path: Path
) -> None:
    for number in (1, 2):
        demo = run(tmp_path / f"run{number}", environment=environment(database, topics))
        assert demo.process.returncode == 0, demo.said
        assert not demo.folder.exists()
    with database.connect() as connection:
        row = connection.execute(
            "select count(*), count(distinct run_key) from orchestration.graph_run"
        ).fetchone()
    assert row == (4, 2)


@pytest.mark.long
def test_runs_that_do_not_end_are_given_up(database: Database, topics: KafkaServer, tmp_path: Path) -> None:
    words = ("--limit", "2.5", "--pace", "30", "30")
    demo = run(tmp_path / "run", *words, environment=environment(database, topics))
    assert demo.process.returncode == 1
    assert "not over after 2.5 s: this is how far it came" in demo.said
    assert re.search(r"│ 3  dag_3 +│", demo.said)
    assert "✗ each of the 9 tasks ran exactly once" in demo.said


def refusal(demo: Demo) -> str:
    assert demo.process.returncode == 1
    assert "Traceback" not in demo.said
    (line,) = [line for line in demo.said.splitlines() if "error:" in line]
    return line.partition("error: ")[2]


def test_a_database_that_holds_graphs_is_refused(
    database: Database, broker: KafkaServer, tmp_path: Path
) -> None:
    with database.connect() as connection:
        connection.execute("insert into orchestration.graph (name) values ('mine')")
        words = refusal(run(tmp_path / "run", environment=environment(database, broker)))
        assert words.startswith(f"database {database.name} at 127.0.0.1:")
        assert "holds graphs (mine)" in words
        assert connection.execute("select name from orchestration.graph").fetchall() == [("mine",)]


def test_topics_that_somebody_reads_are_refused(
    database: Database, topics: KafkaServer, tmp_path: Path
) -> None:
    consumer = Consumer({"bootstrap.servers": topics.bootstrap, "group.id": "real-executors"})
    try:
        consumer.subscribe(["airflow_tasks"])
        assert await_true(lambda: consumer.poll(0.1) is None and bool(consumer.assignment()), 20)
        words = refusal(run(tmp_path / "run", environment=environment(database, topics)))
    finally:
        consumer.close()
    assert words.startswith("consumer group real-executors reads airflow_tasks at 127.0.0.1:")


def test_servers_that_are_away_are_named(database: Database, tmp_path: Path) -> None:
    away = {**database.environment, "ORCHESTRATION_KAFKA_BOOTSTRAP": "127.0.0.1:1"}
    assert refusal(run(tmp_path / "kafka", environment=away)).startswith(
        "Kafka at 127.0.0.1:1 does not answer"
    )
    away = dict.fromkeys(
        ("ORCHESTRATION_DSN", "ORCHESTRATION_ADMIN_DSN"), "postgresql://nobody@127.0.0.1:1/orchestration"
    )
    assert refusal(run(tmp_path / "pg", environment=away)).startswith(
        "PostgreSQL at 127.0.0.1:1 does not answer"
    )


def test_one_dsn_alone_is_refused(database: Database, tmp_path: Path) -> None:
    words = refusal(
        run(tmp_path / "run", environment={"ORCHESTRATION_DSN": database.app_dsn, "ORCHESTRATION_ENV": "dev"})
    )
    assert "set both, or unset both" in words


def test_help() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stack.demo", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "draws every graph run" in " ".join(done.stdout.split())
