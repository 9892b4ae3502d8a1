-- Delivery state: what must reach Kafka, what was read from it, by whom.
-- depends: 0005.record

create table orchestration.dispatch (
    task_run_id bigint primary key,
    bridge_id bigint,
    send_order bigint,
    created_at timestamptz not null default now(),
    topic text not null,
    key text not null,
    value text not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000);
create index dispatch_unclaimed on orchestration.dispatch ((coalesce(send_order, task_run_id))) where bridge_id is null;
comment on table orchestration.dispatch is 'The outbox: dispatches no delivery report has confirmed yet.';
comment on column orchestration.dispatch.bridge_id is 'The bridge that is sending it; null: any may take it.';
comment on column orchestration.dispatch.send_order is 'Its place in the order of sending; null: that of its id. A resume sends the oldest graph run first.';

create table orchestration.bridge_instance (
    id bigint generated always as identity primary key,
    host text not null,
    pid integer not null,
    version text not null,
    state text not null default 'started',
    started_at timestamptz not null default now(),
    heartbeat_at timestamptz not null default now(),
    retired_at timestamptz
) with (fillfactor = 50);
comment on table orchestration.bridge_instance is 'Bridges, living and gone. state: what the bridge has told it does.';

create table orchestration.kafka_topic (
    topic text primary key,
    cluster_id text not null,
    topic_id text not null,
    created_at timestamptz not null default now()
);
comment on table orchestration.kafka_topic is 'Which cluster and which incarnation of a topic the stored offsets speak of.';

create table orchestration.kafka_offset (
    topic text not null,
    partition integer not null,
    next_offset bigint not null,
    epoch bigint not null default 0,
    bridge_id bigint,
    lag bigint,
    read_to_end_at timestamptz,
    updated_at timestamptz not null default now(),
    primary key (topic, partition),
    constraint kafka_offset_next_offset_is_not_negative check (next_offset >= 0)
) with (fillfactor = 50);
comment on table orchestration.kafka_offset is 'The first offset not yet applied, stored with the events; the epoch fences a bridge that lost the partition.';
comment on column orchestration.kafka_offset.read_to_end_at is 'Last database instant at which the partition''s end was read and all up to it applied.';

create table orchestration.dead_letter (
    id bigint generated always as identity primary key,
    topic text not null,
    partition integer,
    "offset" bigint,
    key bytea,
    value bytea,
    reason text not null,
    detail text not null,
    created_at timestamptz not null default now(),
    replayed_at timestamptz,
    replayed_by text,
    task_run_id bigint,
    updated_at timestamptz not null default now()
);
create index dead_letter_open on orchestration.dead_letter (id) where replayed_at is null;
comment on table orchestration.dead_letter is 'Messages that could not be applied, with raw bytes, coordinates and the reason.';
comment on column orchestration.dead_letter.topic is 'The Kafka topic, or sql, rest.';
comment on column orchestration.dead_letter.replayed_by is 'Who had it replayed: setting orchestration.actor, else the database user.';
comment on column orchestration.dead_letter.task_run_id is 'The task run it belonged to when it was replayed.';

create table orchestration.reaper_state (
    only_row boolean primary key default true,
    ran_at timestamptz,
    ran_by text,
    outcome text,
    did_at timestamptz,
    did jsonb,
    walked_run_id bigint not null default 0,
    settled_run_id bigint not null default 0,
    settling_run_id bigint,
    settling_xid xid8,
    constraint reaper_state_is_one_row check (only_row)
) with (fillfactor = 50);
comment on table orchestration.reaper_state is 'The reaper''s last call, and how far it has walked through graph_run.';
comment on column orchestration.reaper_state.ran_by is 'Name of the program that called it, and its role.';
comment on column orchestration.reaper_state.did is 'What the last call that did anything did, as reap_stale_runs answered it; did_at is when.';
comment on column orchestration.reaper_state.walked_run_id is 'Graph runs up to this id are over, or in watched_run.';
comment on column orchestration.reaper_state.settled_run_id is 'No transaction is open any more that could bring a graph run up to this id.';
comment on column orchestration.reaper_state.settling_run_id is 'The id to be settled next, once all transactions before settling_xid have ended.';
insert into orchestration.reaper_state default values;
