"""What may be connected to, and that no password is ever said."""

from __future__ import annotations

import pytest

from orchestration.db.errors import SettingsError
from orchestration.db.settings import DEV_PASSWORD, Settings, Target, known_secrets, redact

SECRET = "hunter2-very-secret"
TLS = f"postgresql://tech:{SECRET}@db1:5433/orchestration?sslmode=verify-full"
PLAIN = f"postgresql://tech:{SECRET}@db1/orchestration"


def settings(dsn: str | None = TLS, **environ: str) -> Settings:
    given = {"ORCHESTRATION_DSN": dsn} if dsn is not None else {}
    return Settings.from_env({**given, **environ})


def test_reads_the_environment() -> None:
    target = settings(ORCHESTRATION_ADMIN_DSN="host=db1 user=root sslmode=require").app()
    assert (target.user, target.password, target.database) == ("tech", SECRET, "orchestration")
    assert target.server == "db1:5433"
    assert str(target) == "database orchestration at db1:5433"


@pytest.mark.parametrize("value", ["", None])
def test_a_missing_dsn_is_named(value: str | None) -> None:
    with pytest.raises(
        SettingsError, match=r"ORCHESTRATION_DSN is not set: set it, for example postgresql://"
    ):
        settings(value).app()
    with pytest.raises(SettingsError, match="ORCHESTRATION_ADMIN_DSN is not set"):
        settings().admin()


@pytest.mark.parametrize(
    "dsn",
    [
        PLAIN,
        PLAIN + "?sslmode=prefer",
        PLAIN + "?sslmode=disable",
        "host=/run/postgresql,db1 dbname=orchestration",
        "host=/run/postgresql hostaddr=10.0.0.1 dbname=orchestration",
        "postgresql://tech@localhost/orchestration",
    ],
)
def test_plain_text_is_refused_outside_dev_unless_permitted_by_name(dsn: str) -> None:
    with pytest.raises(
        SettingsError, match=r"without TLS: add sslmode=require.*ORCHESTRATION_ALLOW_PLAINTEXT=postgr"
    ):
        settings(dsn).app()
    with pytest.raises(SettingsError, match="without TLS"):
        settings(dsn, ORCHESTRATION_ENV="production").app()
    with pytest.raises(SettingsError, match="without TLS"):
        settings(dsn, ORCHESTRATION_ALLOW_PLAINTEXT="kafka").app()
    settings(dsn, ORCHESTRATION_ALLOW_PLAINTEXT="kafka, postgresql").app()
    settings(dsn, ORCHESTRATION_ENV="dev").app()


@pytest.mark.parametrize(
    "dsn",
    [
        TLS,
        PLAIN + "?sslmode=require",
        PLAIN + "?sslmode=verify-ca",
        "dbname=orchestration",
        "host=/run/postgresql dbname=orchestration",
        "postgresql://%2Frun%2Fpostgresql/orchestration",
        "host=@abstract dbname=orchestration",
    ],
)
def test_tls_and_local_sockets_are_allowed(dsn: str) -> None:
    settings(dsn).app()


def test_libpqs_own_variables_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    settings(PLAIN).app()
    monkeypatch.delenv("PGSSLMODE")
    monkeypatch.setenv("PGHOST", "db1")
    with pytest.raises(SettingsError, match="a connection to db1:5432 without TLS"):
        settings("dbname=orchestration").app()


@pytest.mark.parametrize("variable", ["ORCHESTRATION_DSN", "ORCHESTRATION_ADMIN_DSN"])
def test_the_dev_password_is_refused_outside_dev(variable: str) -> None:
    dsn = f"postgresql://a001_orchestration_tech_user:{DEV_PASSWORD}@db1/orchestration?sslmode=verify-full"
    environ = {"ORCHESTRATION_DSN": TLS, "ORCHESTRATION_ADMIN_DSN": TLS, variable: dsn}
    found = Settings.from_env(environ)
    with pytest.raises(SettingsError, match=f"{variable} holds the DEV password, which is public") as caught:
        found.app() if variable == "ORCHESTRATION_DSN" else found.admin()
    assert DEV_PASSWORD not in str(caught.value)
    settings(dsn, ORCHESTRATION_ENV="dev").app()


def test_the_dev_password_is_refused_in_pgpassword_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", DEV_PASSWORD)
    with pytest.raises(SettingsError, match="holds the DEV password"):
        settings("host=db1 user=tech sslmode=require").app()


def test_unknown_permissions_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"does not know 'kafak': it is a list of: kafka, postgresql"):
        settings(ORCHESTRATION_ALLOW_PLAINTEXT="postgresql,kafak")


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql+psycopg://tech:{SECRET}@db1/orchestration",
        f"jdbc:postgresql://db1/orchestration?password={SECRET}",
        f"postgresql://tech:{SECRET}@db1:port/orchestration",
        f"postgresql://tech:{SECRET}@x@db1/orchestration",
        f"postgresql://tech:{SECRET}/x@db1/orchestration",
        f"postgresql://tech:{SECRET}%@db1/orchestration",
        f"postgresql://tech:{SECRET}@db1/orchestration?nosuchoption=1",
        f"postgresql://tech:{SECRET}@[db1/orchestration",
        f"password={SECRET} host",
        f"password='{SECRET}",
        f"{SECRET}",
    ],
)
def test_a_malformed_dsn_is_named_but_never_quoted(dsn: str) -> None:
    with pytest.raises(SettingsError, match=r"^ORCHESTRATION_DSN ") as caught:
        settings(dsn).app()
    assert SECRET not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("dsn", "admin_dsn", "option", "expected"),
    [
        ("postgresql://t@h/one", "postgresql://a@h/postgres", None, "one"),
        ("postgresql://t@h/one", "postgresql://a@h/two", None, "one"),
        ("postgresql://t@h/one", "postgresql://a@h/two", "three", "three"),
        (None, "postgresql://a@h/two", None, "two"),
        (None, "postgresql://a@h/postgres", None, "orchestration"),
        (None, "postgresql://a@h", None, "orchestration"),
        ("postgresql://t@h", "postgresql://a@h/postgres", None, "orchestration"),
    ],
)
def test_which_database_the_admin_works_in(
    dsn: str | None, admin_dsn: str, option: str | None, expected: str
) -> None:
    found = Settings.from_env({"ORCHESTRATION_ENV": "dev"}, dsn=dsn, admin_dsn=admin_dsn)
    assert found.admin(option).database == expected
    assert found.admin(option).user == "a"


def test_nothing_shows_a_password() -> None:
    found = settings(ORCHESTRATION_ADMIN_DSN=PLAIN, ORCHESTRATION_ENV="dev")
    for shown in (repr(found), str(found), repr(found.app()), str(found.app()), repr(found.admin())):
        assert SECRET not in shown


def test_redact_takes_out_every_form() -> None:
    secret = "p@ss/w:rd%"
    text = f"{secret} p%40ss%2Fw%3Ard%25 p%40ss/w%3Ard%25"
    assert redact(text, [secret, ""]) == "*** *** ***"


def test_known_secrets_are_those_of_the_environment() -> None:
    environ = {
        "ORCHESTRATION_DSN": TLS,
        "ORCHESTRATION_ADMIN_DSN": "host=x password=other",
        "PGPASSWORD": "third",
    }
    assert known_secrets(environ) == {SECRET, "other", "third"}
    assert known_secrets({}) == set()


def test_a_malformed_dsn_is_a_secret_as_a_whole() -> None:
    assert known_secrets({"ORCHESTRATION_DSN": f"nonsense {SECRET}"}) == {f"nonsense {SECRET}"}


def test_target_names_every_host() -> None:
    assert Target.parse("X", "host=a,b port=1,2").server == "a:1,b:2"
    assert Target.parse("X", "host=a,b port=1").server == "a:1,b:1"
    assert Target.parse("X", "postgresql://[::1]:7/x").server == "::1:7"
