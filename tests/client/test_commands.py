"""The command line, as a person and as a script use it, over a served API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from waitress.server import create_server

from tests.client.test_calls import graph  # noqa: F401 - the fixture
from tests.support.databases import orchestration

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def run(app: Flask, token: str) -> Iterator[Run]:
    server = create_server(app, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    environment = {
        "ORCHESTRATION_API_URL": f"http://127.0.0.1:{server.effective_port}",
        "ORCHESTRATION_API_TOKEN": token,
    }

    def call(*words: str, ends: int = 0) -> subprocess.CompletedProcess[str]:
        done = orchestration(*words, environment=environment, check=False)
        assert done.returncode == ends, (done.returncode, done.stdout, done.stderr)
        return done

    yield call
    server.close()


@pytest.mark.usefixtures("graph")
def test_the_road(run: Run) -> None:
    launched = json.loads(
        run("graph", "launch", "road", "--run-key", "cli", "--params", '{"n": 1}', "--json").stdout
    )
    assert (launched["status"], launched["params"]) == ("RUNNING", {"n": 1})
    number = str(launched["id"])
    assert "first" in run("graph", "draw", "road").stdout
    assert "first -> second" in run("graph", "show", "road").stdout
    assert "DISPATCHED" in run("run", "show", number).stdout
    flying = json.loads(
        run("get", "task-run", f"graph_run_id={number}", "status=DISPATCHED", "--json").stdout
    )
    run(
        "event",
        "send",
        "--task-run-id",
        str(flying[0]["id"]),
        "--status",
        "FAILED",
        "--detail",
        "no space left",
    )
    assert "no space left" in run("run", "explain", number).stdout
    assert (
        json.loads(run("run", "list", "--graph", "road", "--status", "FAILED", "--json").stdout)[0]["id"]
        == launched["id"]
    )
    again = json.loads(run("run", "rerun", number, "--json").stdout)
    assert again["replaces_id"] == launched["id"]
    assert "FAILED" in run("run", "as-of", number, "2100-01-01").stdout
    run("run", "cancel", str(again["id"]), "--reason", "enough")
    assert json.loads(run("run", "show", str(again["id"]), "--json").stdout)["status"] == "CANCELLED"
    assert run("run", "watch", str(again["id"]), ends=1).stdout
    assert "OR307" in run("task-run", "mark", str(flying[0]["id"]), "SUCCESS", ends=5).stderr, (
        "its run was taken over"
    )


@pytest.mark.usefixtures("graph")
def test_rows_by_kind(run: Run) -> None:
    run("create", "service", "name=spark", "dispatch_topic=spark_tasks", "echoes_ids=true")
    run("create", "process", "service=spark", "uid=job")
    made = json.loads(
        run(
            "create",
            "task",
            "name=job",
            'process={"service": "spark", "uid": "job"}',
            "timeout=PT1H",
            "--json",
        ).stdout
    )
    assert made["timeout"] == "PT1H"
    changed = json.loads(
        run("update", "task", str(made["id"]), "max_attempts=3", "timeout=null", "--json").stdout
    )
    assert (changed["max_attempts"], changed["timeout"]) == (3, None)
    assert "job" in run("get", "task", "name=job").stdout
    run("delete", "task", str(made["id"]))
    run("get", "task", str(made["id"]), ends=4)


@pytest.mark.usefixtures("graph")
def test_service_and_dead_letters(run: Run) -> None:
    assert "stopped" in run("service", "stop").stdout
    assert json.loads(run("service", "status", "--json").stdout)["state"] == "stopped"
    assert "started" in run("service", "start").stdout
    lost = run("event", "send", '{"service": "airflow", "process": "nobody", "status": "SUCCESS"}', ends=1)
    assert "became dead letter" in lost.stderr
    (letter,) = json.loads(run("dead-letter", "list", "--reason", "unknown", "--json").stdout)
    assert json.loads(run("dead-letter", "show", str(letter["id"]), "--json").stdout)["topic"] == "rest"
    assert "nobody" in run("dead-letter", "explain", str(letter["id"])).stdout
    assert (
        json.loads(run("dead-letter", "replay-all", "--reason", "unknown", "--json").stdout)["failing"] == 1
    )
    assert "OR407" in run("dead-letter", "replay", str(letter["id"]), ends=5).stderr


@pytest.mark.usefixtures("graph")
def test_errors_are_one_line_and_an_exit_code(run: Run) -> None:
    missing = run("graph", "launch", "raod", ends=4)
    assert missing.stderr.strip() == "orchestration: graph raod does not exist (near matches: road)"
    assert "Usage" in run("graph", "launch", ends=2).stderr
    assert "colour" in run("create", "service", "name=x", "colour=red", ends=2).stderr


def test_nobody_answers() -> None:
    environment = {"ORCHESTRATION_API_URL": "http://127.0.0.1:9", "ORCHESTRATION_API_TOKEN": "t"}
    done = orchestration("service", "status", environment=environment, check=False)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1


def test_help_has_examples_and_variables() -> None:
    program = Path(sys.executable).with_name("orchestration")
    listed = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    for name in (
        "graph",
        "run",
        "task-run",
        "chain",
        "service",
        "dead-letter",
        "event",
        "get",
        "create",
        "update",
        "delete",
    ):
        assert f"\n  {name}" in listed
        said = subprocess.run([program, name, "--help"], capture_output=True, text=True, check=True).stdout
        assert "orchestration " + name in said, name
    said = subprocess.run(
        [program, "run", "list", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert "ORCHESTRATION_API_URL" in said
    assert "Exit status" in said


def test_completion() -> None:
    program = Path(sys.executable).with_name("orchestration")
    asked = {
        **os.environ,
        "_ORCHESTRATION_COMPLETE": "bash_complete",
        "COMP_WORDS": "orchestration gra",
        "COMP_CWORD": "1",
    }
    said = subprocess.run([program], capture_output=True, text=True, check=False, env=asked).stdout
    assert "graph" in said
