"""Old rows: finished runs of S1 as they lie in a database that has worked for months, loaded past the triggers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from psycopg import Connection
from psycopg.rows import TupleRow

from .words import step

__all__ = ["load_old"]

_CHUNK = 250_000
_SEQUENCES = """
select setval('orchestration.graph_run_id_seq', greatest(%(last)s, nextval('orchestration.graph_run_id_seq'))),
       setval('orchestration.task_run_id_seq', greatest(4 * %(last)s, nextval('orchestration.task_run_id_seq')))
"""
# run r has the task runs 4r-3 … 4r; they ended at `at`
_STATEMENTS = (
    """
    insert into orchestration.graph_run (id, graph_id, version_id, open_count, status, opened_by,
                                         created_at, updated_at, finished_at)
    select r, %(graph)s, %(version)s, 0, 'SUCCESS', 'event', %(at)s, %(at)s, %(at)s
    from generate_series(%(from)s::bigint, %(to)s) r
    """,
    """
    insert into orchestration.task_run (id, task_id, graph_run_id, status, previous_status, config, result, matched_by,
                                        created_at, updated_at, dispatched_at, accepted_at, finished_at)
    select 4 * r - 4 + n, (%(tasks)s::bigint[])[n], case when n > 1 then r end, 'SUCCESS',
           case when n > 1 then 'DISPATCHED' end, case when n > 1 then '{}'::jsonb end, '{"rows": 123}', 'task_run_id',
           %(at)s, %(at)s, case when n > 1 then %(at)s end, %(at)s, %(at)s
    from generate_series(%(from)s::bigint, %(to)s) r, generate_series(1, 4) n
    """,
    """
    insert into orchestration.graph_run_task_run (graph_run_id, task_run_id, task_id, created_at)
    select r, 4 * r - 4 + n, (%(tasks)s::bigint[])[n], %(at)s
    from generate_series(%(from)s::bigint, %(to)s) r, generate_series(1, 4) n
    """,
    """
    insert into orchestration.task_run_event (at, task_run_id, graph_run_id, old_status, new_status, source, matched_by)
    select %(at)s, 4 * r - 4 + n, r, case when n > 1 then 'DISPATCHED' end, 'SUCCESS', 'event', 'task_run_id'
    from generate_series(%(from)s::bigint, %(to)s) r, generate_series(1, 4) n
    """,
    """
    insert into orchestration.task_run_event (at, graph_run_id, new_status, source)
    select %(at)s, r, 'SUCCESS', 'event' from generate_series(%(from)s::bigint, %(to)s) r
    """,
    """
    insert into orchestration.event_seen (at, process_id, event_hash, event_id, task_run_id, status)
    select %(at)s, 1, hashtextextended('old-' || r || '-' || n, 1), 'old-' || r || '-' || n,
           4 * r - 4 + n, 'SUCCESS'
    from generate_series(%(from)s::bigint, %(to)s) r, generate_series(1, 4) n
    """,
)


def load_old(
    admin: Connection[TupleRow], task_runs: int, graph: str = "load", age: timedelta = timedelta(hours=1)
) -> None:
    """Put so many ended task runs (a quarter as many graph runs) of S1 graph `graph` into place.

    Call it once a database, before anything else runs there. They ended `age` ago, in a month that has a partition.
    """
    runs = task_runs // 4
    row = admin.execute(
        "select g.id, coalesce((select h.version_id from orchestration.graph_head h where h.graph_id = g.id), 1),"
        " (select array_agg(t.id order by t.name) from orchestration.task t where t.name in ('6', '7', '8', '9'))"
        " from orchestration.graph g where g.name = %s",
        (graph,),
    ).fetchone()
    assert row is not None
    first = admin.execute("select coalesce(max(id), 0) from orchestration.task_run").fetchone()
    assert first is not None
    assert first[0] == 0, "old rows are loaded into a database without runs"
    at = datetime.now(timezone.utc) - age
    values: dict[str, object] = {"graph": row[0], "version": row[1], "tasks": row[2], "at": at}
    with step(f"loading {4 * runs:,} old task runs"):
        admin.execute("set session_replication_role = replica")
        for begin in range(1, runs + 1, _CHUNK):
            values |= {"from": begin, "to": min(runs, begin + _CHUNK - 1)}
            for statement in _STATEMENTS:
                admin.execute(statement.encode(), values)
        admin.execute("set session_replication_role = origin")
        admin.execute(_SEQUENCES.encode(), {"last": runs})
        admin.execute("vacuum analyze")
        admin.execute("checkpoint")
