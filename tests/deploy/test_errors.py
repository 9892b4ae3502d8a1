"""Each way to fail to connect, or to be refused by the server: one line with thing and remedy, and whether to retry."""

from __future__ import annotations

import re
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from orchestration.db.connect import connect, connect_once, keep_trying, require_primary
from orchestration.db.errors import (
    AwayError,
    DeployError,
    NoDatabaseError,
    SettingsError,
    UnknownHostError,
    explain,
)
from orchestration.db.settings import DEV_PASSWORD, Settings, Target
from stack.process import free_port
from tests.support.servers import start_postgres, wait_for

from .conftest import Place


def dev(dsn: str) -> Target:
    return Settings(dsn=dsn, dev=True).app()


def refusal(target: Target) -> DeployError:
    """What connecting raises; always one line, never a password."""
    with pytest.raises(DeployError) as caught:
        connect_once(target, name="test", connect_timeout=2)
    assert "\n" not in str(caught.value)
    if target.password:
        assert target.password not in str(caught.value)
    return caught.value


@contextmanager
def answering(answer: bytes | None) -> Iterator[int]:
    """A port where something that is not PostgreSQL answers; None accepts and closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    with client:
                        if answer is not None:
                            client.recv(1024)
                            client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_wrong_password(created: Place) -> None:
    error = refusal(dev(created.server.dsn(created.name, created.user, "wrong-one")))
    assert type(error) is SettingsError
    port = created.server.port
    assert str(error) == (
        f"127.0.0.1:{port} refuses the password of role {created.user}: correct user and password in ORCHESTRATION_DSN"
    )


def test_no_password(created: Place) -> None:
    error = refusal(dev(created.server.dsn(created.name, created.user)))
    assert type(error) is SettingsError
    assert "refuses the password of role" in str(error)


def test_database_missing(created: Place) -> None:
    error = refusal(dev(created.server.dsn("nowhere", created.user, created.password)))
    assert type(error) is NoDatabaseError
    assert str(error).endswith("has no database nowhere: make it by: orchestration db create")


def test_role_that_may_not_log_in(created: Place) -> None:
    with created.connect() as admin:
        admin.execute(f"alter role {created.user} nologin")
    error = refusal(created.app)
    assert type(error) is SettingsError
    assert f"has no role {created.user} that may log in" in str(error)


def test_no_right_to_connect(created: Place) -> None:
    with created.connect() as admin:
        admin.execute(f"revoke connect on database {created.name} from public, orchestration_app")
    error = refusal(created.app)
    assert f"role {created.user} may not connect to database {created.name}" in str(error)
    assert error.remedy == "grant it by: orchestration db create"
    created.create()
    created.connect(created.app_dsn).close()


def test_server_without_tls(created: Place) -> None:
    error = refusal(dev(created.app_dsn + "?sslmode=require"))
    assert type(error) is SettingsError
    assert "does not speak TLS" in str(error)


def test_nothing_listens() -> None:
    error = refusal(dev(f"postgresql://tech:secret@127.0.0.1:{free_port()}/orchestration"))
    assert type(error) is AwayError
    assert "does not answer (connection refused): start it, or correct ORCHESTRATION_DSN" in str(error)


def test_no_socket() -> None:
    error = refusal(dev("host=/nowhere dbname=orchestration user=tech password=secret"))
    assert type(error) is AwayError
    assert "PostgreSQL at /nowhere:5432 does not answer (no such file or directory)" in str(error)


def test_a_port_that_accepts_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = refusal(dev(f"postgresql://tech:secret@127.0.0.1:{silent.getsockname()[1]}/orchestration"))
    assert type(error) is AwayError
    assert "does not answer (timeout expired)" in str(error)


def test_a_port_that_accepts_and_closes() -> None:
    with answering(None) as port:
        assert type(refusal(dev(f"postgresql://tech:secret@127.0.0.1:{port}/orchestration"))) is AwayError


def test_another_protocol() -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        error = refusal(dev(f"postgresql://tech:secret@127.0.0.1:{port}/orchestration?sslmode=disable"))
    assert type(error) is SettingsError
    assert f"what answers at 127.0.0.1:{port} is not PostgreSQL: correct host and port" in str(error)


def test_unknown_host() -> None:
    error = refusal(dev("postgresql://tech:secret@no-such-host.invalid/orchestration"))
    if isinstance(error, AwayError):  # this machine has no name service at all
        assert "cannot be looked up now" in str(error)
    else:
        assert type(error) is UnknownHostError
        assert "the host name of no-such-host.invalid:5432 is not known" in str(error)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("failed to resolve host 'x': [Errno -2] Name or service not known", UnknownHostError),
        ("failed to resolve host 'x': [Errno -3] Temporary failure in name resolution", AwayError),
        (
            'connection failed: FATAL:  no pg_hba.conf entry for host "1.2.3.4", user "u", no encryption',
            SettingsError,
        ),
        ("connection failed: FATAL:  the database system is starting up", AwayError),
        ("connection failed: FATAL:  the database system is in recovery mode", AwayError),
        ("connection failed: FATAL:  sorry, too many clients already", AwayError),
        (
            "connection failed: FATAL:  remaining connection slots are reserved for superuser connections",
            AwayError,
        ),
        ("connection failed: session is read-only; session is not read-write", AwayError),
        ("connection failed: SSL error: certificate verify failed", SettingsError),
        ('connection failed: root certificate file "/x" does not exist', SettingsError),
        ("consuming input failed: server closed the connection unexpectedly", AwayError),
        ("the connection is closed", AwayError),
        ("etwas ganz anderes", AwayError),
    ],
)
def test_words_of_libpq(words: str, kind: type[DeployError]) -> None:
    error = explain(psycopg.OperationalError(words), dev("postgresql://u:p@x/d"))
    assert type(error) is kind
    assert error.remedy


@pytest.mark.parametrize(
    ("state", "kind", "words"),
    [
        ("53100", AwayError, "the disk of PostgreSQL at .* is full .*: free space there"),
        ("53200", AwayError, "is out of memory"),
        ("53300", AwayError, "has no connection left"),
        ("57P01", AwayError, "ended the session"),
        ("25006", AwayError, "is a standby and cannot be written"),
        ("OR123", DeployError, "^boom: do it so$"),
        ("42501", DeployError, "boom"),
    ],
)
def test_states_of_the_server(created: Place, state: str, kind: type[DeployError], words: str) -> None:
    raising = f"do $$ begin raise exception 'boom' using errcode = '{state}', hint = 'do it so'; end $$"
    with created.connect() as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute(raising)
    error = explain(caught.value, created.admin)
    assert type(error) is kind
    assert re.search(words, str(error))


def test_the_dev_password_out_of_a_password_file_is_refused(
    created: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is seen only after the connection stands; it is closed again."""
    with created.connect() as admin:
        admin.execute(f"alter role {created.user} password '{DEV_PASSWORD}'")
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"*:*:*:{created.user}:{DEV_PASSWORD}\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    allowed = frozenset({"postgresql"})
    target = Settings(dsn=created.server.dsn(created.name, created.user), allow_plaintext=allowed).app()
    with pytest.raises(SettingsError, match="password file holds the DEV password"):
        connect_once(target, name="test")


def test_plain_text_by_a_service_file_is_refused(
    created: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The DSN names no host, so only libpq knows that it is one far away."""
    (tmp_path / "services").write_text(f"[prod]\nhost=127.0.0.1\nport={created.server.port}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    dsn = f"service=prod dbname={created.name} user={created.user} password='{created.password}'"
    with pytest.raises(SettingsError, match="without TLS: add sslmode=require"):
        connect_once(Settings(dsn=dsn).app(), name="test")
    connect_once(Settings(dsn=dsn, allow_plaintext=frozenset({"postgresql"})).app(), name="test").close()


def test_a_local_socket_needs_no_tls() -> None:
    folder = tempfile.mkdtemp(dir="/tmp")
    Path(folder).chmod(0o777)
    server = start_postgres(settings={"unix_socket_directories": folder})
    try:
        password = psycopg.conninfo.conninfo_to_dict(server.admin_dsn)["password"]
        dsn = f"host={folder} port={server.port} dbname=postgres user=postgres password={password}"
        connect_once(Settings(dsn=dsn).app(), name="test").close()
    finally:
        server.drop()
        shutil.rmtree(folder)


def test_keeps_trying_one_line_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("orchestration.db.connect.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(
        "orchestration.db.connect.time.sleep", lambda pause: clock.__setitem__(0, clock[0] + pause)
    )
    said: list[str] = []

    def action() -> str:
        if clock[0] < 300:
            raise AwayError("the server is away", "start it")
        return "done"

    assert keep_trying(action, say=said.append) == "done"
    assert said == ["the server is away: start it; trying again"] * 5


def test_a_standby_is_refused(created: Place) -> None:
    """The server's own answer to who writes to a standby."""
    with created.connect() as connection:
        connection.execute("set default_transaction_read_only = on")
        with pytest.raises(psycopg.Error) as caught:
            connection.execute("create table public.never ()")
    error = explain(caught.value, created.admin)
    assert type(error) is AwayError
    assert "is a standby and cannot be written" in str(error)


def test_stops_trying_after_its_time() -> None:
    target = dev(f"postgresql://tech@127.0.0.1:{free_port()}/orchestration")
    begin = time.monotonic()
    with pytest.raises(AwayError):
        connect(target, name="test", wait=1, say=lambda line: None)
    assert 0.5 < time.monotonic() - begin < 5


def test_goes_on_when_the_server_comes_back() -> None:
    server = start_postgres()
    try:
        target = dev(server.dsn("postgres"))
        server.stop()
        said: list[str] = []
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(connect, target, name="test", wait=60, say=said.append)
            wait_for(lambda: bool(said), "connect says that it waits")
            server.start()
            waiting.result().close()
        assert len(said) == 1
        assert said[0].endswith("trying again")
    finally:
        server.drop()


def test_an_old_server_is_refused(created: Place) -> None:
    class Old:
        class info:  # noqa: N801 - psycopg's name
            server_version = 140012

        def execute(self, query: str) -> Old:
            return self

        def fetchone(self) -> tuple[bool, str, str]:
            return (False, "UTF8", "14.12")

    with pytest.raises(DeployError, match=r"is PostgreSQL 14\.12: version 15 or newer is needed"):
        require_primary(Old(), created.admin)  # type: ignore[arg-type]
