"""Wrong settings: one line that names the thing and the remedy, a non-zero exit status, and no secret anywhere."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from .harness import Process, World


def refusal(bridge: Process, status: int = 2) -> tuple[str, str]:
    """Error and remedy of the one line it ended with."""
    assert bridge.ended(15) == status, bridge.log.read_text()
    (line,) = bridge.lines(level="error")
    assert line["event"] == "refused"
    assert "Traceback" not in bridge.log.read_text()
    return line["error"], line.get("remedy", "")


@pytest.mark.parametrize(
    ("variable", "value", "error", "remedy"),
    [
        ("ORCHESTRATION_DSN", "", "ORCHESTRATION_DSN is not set", "for example"),
        ("ORCHESTRATION_DSN", "mysql://x", "ORCHESTRATION_DSN", "postgresql://"),
        ("ORCHESTRATION_KAFKA_BOOTSTRAP", "", "ORCHESTRATION_KAFKA_BOOTSTRAP is not set", "for example"),
        ("ORCHESTRATION_ENV", "", "the DEV password", "ORCHESTRATION_ENV=dev"),
        ("ORCHESTRATION_KAFKA_NO_SUCH_THING", "1", "no.such.thing", "ORCHESTRATION_KAFKA_"),
        ("ORCHESTRATION_KAFKA_SESSION_TIMEOUT_MS", "soon", "session.timeout.ms", "ORCHESTRATION_KAFKA_"),
        ("ORCHESTRATION_KAFKA_AUTO_OFFSET_RESET", "latest", "auto.offset.reset", "unset it"),
        ("ORCHESTRATION_KAFKA_CONFIG", "/nowhere/kafka.properties", "/nowhere/kafka.properties", "unset it"),
        ("ORCHESTRATION_FAILPOINT", "nowhere", "names no failpoint", "after_commit"),
        ("ORCHESTRATION_ALLOW_PLAINTEXT", "mongodb", "mongodb", "postgresql"),
    ],
)
def test_a_wrong_setting_ends_it(world: World, variable: str, value: str, error: str, remedy: str) -> None:
    found = refusal(world.bridge(**{variable: value}))
    assert error in found[0]
    assert remedy in found[1]


def test_plaintext_is_refused_outside_dev(world: World) -> None:
    world.run("alter role a001_orchestration_tech_user password 'of-its-own'")
    try:
        dsn = world.database.app_dsn.replace("usrofa001_orchestration_tech_user", "of-its-own")
        own = {"ORCHESTRATION_ENV": "", "ORCHESTRATION_DSN": dsn}
        assert "without TLS" in refusal(world.bridge(**own))[0]
        error, remedy = refusal(world.bridge(**own, ORCHESTRATION_ALLOW_PLAINTEXT="postgresql"))
        assert "plaintext" in error
        assert "ORCHESTRATION_ALLOW_PLAINTEXT=kafka" in remedy
        bridge = world.bridge("--from", "latest", **own, ORCHESTRATION_ALLOW_PLAINTEXT="postgresql,kafka")
        bridge.wait_for("assigned")
    finally:
        world.run("alter role a001_orchestration_tech_user password 'usrofa001_orchestration_tech_user'")


def test_a_failpoint_is_refused_outside_dev(world: World) -> None:
    bridge = world.bridge(
        ORCHESTRATION_ENV="",
        ORCHESTRATION_DSN=world.database.app_dsn.replace("usrofa001_orchestration_tech_user", "x"),
        ORCHESTRATION_ALLOW_PLAINTEXT="postgresql,kafka",
        ORCHESTRATION_FAILPOINT="after_poll",
    )
    assert "ORCHESTRATION_FAILPOINT is set" in refusal(bridge)[0]


def test_a_wrong_password_ends_it_and_shows_nowhere(world: World) -> None:
    dsn = world.database.app_dsn.replace("usrofa001_orchestration_tech_user", "wrong-canary")
    bridge = world.bridge(ORCHESTRATION_DSN=dsn)
    error, remedy = refusal(bridge)
    assert "refuses the password of role a001_orchestration_tech_user" in error
    assert "ORCHESTRATION_DSN" in remedy
    assert "canary" not in bridge.log.read_text()


def test_secrets_do_not_show_in_a_life_with_every_log_line(world: World) -> None:
    bridge = world.working(
        "--from",
        "earliest",
        ORCHESTRATION_LOG_LEVEL="debug",
        ORCHESTRATION_KAFKA_SASL_PASSWORD="canary-kafka",
        ORCHESTRATION_KAFKA_SSL_KEY_PASSWORD="canary-key",
    )
    world.succeed(5)
    world.wait_dispatched(world.sent)
    arguments = Path(f"/proc/{bridge.pid}/cmdline").read_text()
    bridge.terminate()
    text = bridge.log.read_text() + arguments
    assert "canary" not in text
    assert "usrofa001" not in text


def test_a_database_without_our_schema_ends_it_with_the_remedy(world: World) -> None:
    dsn = world.database.app_dsn.rpartition("/")[0] + "/postgres"
    line = ": ".join(refusal(world.bridge(ORCHESTRATION_DSN=dsn), status=1))
    assert "database postgres" in line
    assert "orchestration db" in line


def test_a_database_newer_than_the_code_ends_it_with_the_remedy(world: World) -> None:
    world.run(
        "insert into orchestration._yoyo_migration (migration_hash, migration_id) values ('x', '9999.future')"
    )
    line = ": ".join(refusal(world.bridge(), status=1))
    assert "9999.future" in line
    assert "install the release" in line


def test_a_kafka_that_wants_tls_from_us_is_waited_for_in_words(world: World) -> None:
    """A plaintext broker spoken to in TLS: cannot be told from one that is away, the line says what may be wrong."""
    bridge = world.bridge(ORCHESTRATION_KAFKA_SECURITY_PROTOCOL="SSL")
    line = bridge.wait_for("away", 20)
    assert world.broker.bootstrap in line["server"]
    assert bridge.alive


def test_a_port_nobody_listens_at_is_waited_for(world: World) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    bridge = world.bridge(ORCHESTRATION_KAFKA_BOOTSTRAP=f"127.0.0.1:{port}")
    line = bridge.wait_for("away", 20)
    assert str(port) in line["server"]
    assert bridge.terminate() == 0
