"""Hostile text stays data: through params, results, run keys and templates, whatever language it is written in.

Each payload goes every way at once; the config that is dispatched must hold exactly that text, and nothing else of the
database may have changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from tests.support.databases import Database
from tests.support.graphs import define_graph

SQL = [
    "'; drop table orchestration.task; --",
    '"; drop table orchestration.task; --',
    "' or '1'='1",
    "1); delete from orchestration.task_run; --",
    "$$; select pg_sleep(10); $$",
    "$body$ drop schema orchestration cascade $body$",
    "x' union select rolpassword from pg_authid --",
    "\\'; copy (select 1) to program 'id' --",
    "%s %(x)s %% {0} {x}",
    "E'\\x27; reset role'",
    "/* x */ -- x",
    "orchestration._refuse('OR999', 'x', 'y')",
]
TEMPLATES = [
    "{{ 7*7 }}",
    "{{7*'7'}}",
    "{% for x in range(9) %}x{% endfor %}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ config.items() }}",
    "{{ params.secret }}",
    "{{ run.id }}",
    "{{ upstream.first.result }}",
    "{{ $.params }}",
    "{{ strict $ }}",
    "{{ self._TemplateReference__context.cycler.__init__.__globals__.os.popen('id').read() }}",
    "{# comment #}",
    "${7*7} #{7*7} <%= 7*7 %> @(7*7) [[7*7]]",
    "${jndi:ldap://127.0.0.1/x}",
    "{{",
    "}}",
    "{{{{ run.id }}}}",
    '{{ "{{" }}',
    "{{ params.p }}{{ params.p }}",
]
SHELL = [
    "$(touch /tmp/hostile)",
    "`id`",
    "; rm -rf / #",
    "| cat /etc/passwd",
    "&& curl http://127.0.0.1/",
    "a\nb\r\nc\td",
    "../../../../etc/passwd",
    "-rf",
    "$IFS$9",
    "%0a%0dSet-Cookie: x",
    "() { :; }; echo x",
    "~root \\\\server\\share C:\\x",
]
JSON = [
    '", "injected": "x',
    '"}, "task": {"name": "other',
    "\\u007b\\u007b run.id \\u007d\\u007d",
    "\\",
    '\\"',
    "null",
    "[1, 2]",
    '{"a": 1}',
    "NaN",
    "-0",
    "1e999",
    "__proto__",
    '$.params ? (@ like_regex ".*")',
    "<script>alert(1)</script>",
    '<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]>&y;',
    "=cmd|'/c calc'!A1",
]
UNICODE = [
    "ü€𝄞😀",
    "\u202e right to left \u202c",
    "\u200b\ufeff\u2028\u2029",
    "e\u0301 \u00e9 \ufb01 \u0130 \u0131",
    "\uff5b\uff5b run.id \uff5d\uff5d",
    "\u2018; drop table x\u2019",
    "\ufffd\uffff",
    "\x01\x08\x1b[31m\x7f\x85",
    "Z\u0335\u0321a\u0336\u0322lgo",
    "\U0010ffff",
]
WRAPPED = ["{}", " {} ", "a{}b", "'{}'", '"{}"', "{{{{ {} }}}}", "{}\n{}", "{}\\"]
PAYLOADS = sorted(
    {
        wrap.format(*[text] * wrap.count("{}")) if wrap != "{{{{ {} }}}}" else "{{ " + text + " }}"
        for text in SQL + TEMPLATES + SHELL + JSON + UNICODE
        for wrap in WRAPPED
    }
)
TEMPLATE = {
    "whole": "{{ params.p }}",
    "text": "<{{ params.p }}|{{ upstream.first.result.p }}>",
    "result": "{{ upstream.first.result }}",
    "key": "{{ run.run_key }}",
}
DIGEST = """
select (select count(*) from pg_class c where c.relnamespace = 'orchestration'::regnamespace),
       (select md5(string_agg(p.prosrc, '' order by p.oid)) from pg_proc p
         where p.pronamespace = 'orchestration'::regnamespace),
       (select array_agg(rolname order by rolname) from pg_roles),
       (select count(*) from orchestration.task), (select count(*) from orchestration.chain),
       (select count(*) from orchestration.dead_letter)
"""


@pytest.fixture(scope="module")
def app(module_database: Database) -> Iterator[Connection[TupleRow]]:
    with module_database.connect() as admin:
        define_graph(admin, "hostile", [("first", "second")])
        admin.execute(
            "update orchestration.task set config_template = %s where name = 'second'", [json.dumps(TEMPLATE)]
        )
    with module_database.connect_app() as connection:
        yield connection


def test_there_are_at_least_500_payloads() -> None:
    assert len(PAYLOADS) >= 500, len(PAYLOADS)


def test_values_stay_data(app: Connection[TupleRow]) -> None:
    before = app.execute(DIGEST).fetchone()
    for payload in PAYLOADS:
        key = payload if _is_key(payload) else None
        run = _one(
            app,
            "select orchestration.launch_graph('hostile', %s, %s)",
            json.dumps({"p": payload, payload: payload}),
            key,
        )
        first = _one(app, _PLACE, run, "first")
        event = {"task_run_id": first, "status": "SUCCESS", "result": {"p": payload, payload: [payload]}}
        _one(app, "select orchestration.report(%s)", json.dumps(event))
        sent = _one(
            app,
            f"select value from orchestration.dispatch where task_run_id = ({_PLACE})",
            run,
            "second",
        )
        assert json.loads(str(sent))["config"] == {
            "whole": payload,
            "text": f"<{payload}|{payload}>",
            "result": {"p": payload, payload: [payload]},
            "key": key,
        }, payload
    assert app.execute(DIGEST).fetchone() == before


def test_templates_stay_data(app: Connection[TupleRow]) -> None:
    """As plain text of a template a payload is sent as it stands; one that opens a placeholder is refused or a path."""
    before = app.execute(DIGEST).fetchone()
    refused = 0
    for payload in PAYLOADS:
        if "{{" in payload:
            state = _state(app, _WRITE, json.dumps({"p": payload}))
            assert state in ("", "OR104"), payload
            refused += bool(state)
            if not state:
                read = app.execute(
                    "select bool_and(path::text ~ '^(strict )?[(]*\\$\\.\"(run|params|upstream)\"')"
                    " from orchestration.task_placeholder h join orchestration.task t on t.id = h.task_id"
                    " where t.name = 'first' and path is not null"
                ).fetchone()
                assert read in [(True,), (None,)], payload
        else:
            app.execute(_WRITE, [json.dumps({"p": payload, payload: [payload]})])
            run = _one(app, "select orchestration.launch_graph('hostile')")
            sent = _one(
                app, f"select value from orchestration.dispatch where task_run_id = ({_PLACE})", run, "first"
            )
            assert json.loads(str(sent))["config"] == {"p": payload, payload: [payload]}, payload
    assert refused > 50
    assert app.execute(DIGEST).fetchone() == before


def test_nul_and_lone_surrogates_are_refused(app: Connection[TupleRow]) -> None:
    for text in ('{"p": "a\\u0000b"}', '{"p": "\\ud800"}'):
        for statement in ("select orchestration.launch_graph('hostile', %s)", _WRITE):
            with pytest.raises(psycopg.DataError):
                app.execute(statement, [text])


_PLACE = (
    "select l.task_run_id from orchestration.graph_run_task_run l join orchestration.task t on t.id = l.task_id"
    " where l.graph_run_id = %s and t.name = %s"
)
_WRITE = "update orchestration.task set config_template = %s where name = 'first'"


def _one(connection: Connection[TupleRow], statement: str, *values: object) -> object:
    row = connection.execute(statement.encode(), values).fetchone()
    assert row is not None, (statement, values)
    return row[0]


def _state(connection: Connection[TupleRow], statement: str, *values: object) -> str:
    try:
        connection.execute(statement.encode(), values)
    except psycopg.Error as error:
        return error.sqlstate or "?"
    return ""


def _is_key(text: str) -> bool:
    """A run key is any text of 1 to 250 characters without control characters."""
    return 0 < len(text) <= 250 and not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text)
