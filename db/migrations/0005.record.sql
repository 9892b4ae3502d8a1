-- The record: history of every transition and the memory of event ids. Partitioned by time from the start; no foreign key points here.
-- depends: 0004.runs

create table orchestration.task_run_event (
    id bigint generated always as identity,
    at timestamptz not null,
    task_run_id bigint,
    graph_run_id bigint,
    old_status text,
    new_status text,
    source text not null,
    actor text,
    db_user text not null default session_user,
    matched_by text,
    reason text,
    detail text,
    extra jsonb,
    constraint task_run_event_source_is_known check (source in ('event', 'sql', 'rest', 'cli', 'bridge', 'reaper'))
) partition by range (at);
create index task_run_event_by_task_run on orchestration.task_run_event (task_run_id);
create index task_run_event_by_graph_run on orchestration.task_run_event (graph_run_id) where task_run_id is null;
comment on table orchestration.task_run_event is 'Every transition of task runs and graph runs, and every event that changed nothing. Append-only for every role; only purge removes.';
comment on column orchestration.task_run_event.actor is 'Setting orchestration.actor of the transaction.';
comment on column orchestration.task_run_event.matched_by is 'How the event found its execution: task_run_id, external_id, in_flight, ended, started.';
comment on column orchestration.task_run_event.extra is 'What the event said beyond the fields that decide: occurred_at, and fields nobody knows.';

create table orchestration.event_seen (
    at timestamptz not null,
    process_id bigint not null,
    event_hash bigint not null,
    event_id text not null,
    task_run_id bigint,
    status text not null
) partition by range (at);
create index event_seen_by_hash on orchestration.event_seen (event_hash);
comment on table orchestration.event_seen is 'Event ids taken in, to drop repeats of (process, event_id, status).';
