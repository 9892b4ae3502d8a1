-- What happens: events, and looking up what they are about.

create or replace function tap.say(task text, status text, run_key text default null, ext text default null, event_id text default null,
    detail text default null, result jsonb default null) returns bigint
language sql as $$
    -- an event of a tool that cannot echo ids: service and process of the task, no task_run_id
    select orchestration.report(jsonb_strip_nulls(jsonb_build_object(
        'service', s.name, 'process', p.uid, 'status', say.status, 'run_key', say.run_key, 'external_id', say.ext, 'event_id', say.event_id,
        'detail', say.detail, 'result', say.result)))
    from orchestration.task t join orchestration.process p on p.id = t.process_id join orchestration.service s on s.id = p.service_id
    where t.name = say.task
$$;

create or replace function tap.tell(task_run bigint, status text, ext text default null, event_id text default null, detail text default null,
    result jsonb default null) returns bigint
language sql as $$
    -- an event that bears the task run's id
    select orchestration.report(jsonb_strip_nulls(jsonb_build_object(
        'task_run_id', tell.task_run, 'status', tell.status, 'external_id', tell.ext, 'event_id', tell.event_id, 'detail', tell.detail, 'result', tell.result)))
$$;

create or replace function tap.run(graph text, n integer default 1) returns bigint
language sql as $$
    -- the n-th graph run of the graph; from the end where n is negative
    select r.id from orchestration.graph_run r where r.graph_id = tap.graph_id(run.graph)
    order by case when n > 0 then r.id else -r.id end offset abs(n) - 1 limit 1
$$;

create or replace function tap.at(graph_run bigint, task text) returns bigint
language sql as $$
    -- the task run that stands for the task in the graph run: the last attempt
    select l.task_run_id from orchestration.graph_run_task_run l where l.graph_run_id = at.graph_run and l.task_id = tap.task_id(at.task)
    order by l.attempt desc limit 1
$$;

create or replace function tap.finish(graph_run bigint, task text, status text default 'SUCCESS') returns bigint
language sql as $$
    select tap.tell(tap.at(finish.graph_run, finish.task), finish.status)
$$;

create or replace function tap.finish_all(graph text) returns integer
language plpgsql as $$
-- Ends every execution in flight of the graph's runs with SUCCESS, again and again until none is left. How many that were.
declare
    v_id bigint;
    v_count integer := 0;
begin
    loop
        select t.id into v_id
        from orchestration.graph_run r join orchestration.graph_run_task_run l on l.graph_run_id = r.id join orchestration.task_run t on t.id = l.task_run_id
        where r.graph_id = tap.graph_id(finish_all.graph) and t.finished_at is null
        order by t.id limit 1;
        exit when not found or v_count > 1000;
        perform tap.tell(v_id, 'SUCCESS');
        v_count := v_count + 1;
    end loop;
    return v_count;
end
$$;

create or replace function tap.clock(at text) returns void language sql as $$
    -- sets the engine's clock to an instant, for the transaction
    select set_config('orchestration.clock', clock.at, true)
$$;

create or replace function tap.given_topic(partitions integer default 2, topic text default 'etl_finished_tasks') returns bigint
language sql as $$
    -- a seeded topic (offsets 0) and a bridge that holds all its partitions, epoch 2; the bridge's id
    with seeded as materialized (
        select orchestration.seed_offsets(given_topic.topic, 'cluster', 'topic-id', array(select generate_series(0, partitions - 1)), array(select 0::bigint from generate_series(1, partitions)))
    ), bridge as materialized (
        select orchestration.register_bridge('host', 1, '0') as id from seeded
    ), claimed as materialized (
        select b.id, c.* from bridge b, orchestration.claim_partitions(b.id, given_topic.topic, 'cluster', 'topic-id', array(select generate_series(0, partitions - 1))) c
    )
    select min(id) from claimed
$$;

create or replace function tap.transaction_ends() returns void
language sql as $$
    -- what the engine sets for a transaction is gone with it; a test is one transaction in place of many
    select set_config('orchestration.bridge', '', true)
$$;

create or replace function tap.feed(bridge bigint, variadic events jsonb[]) returns setof text
language plpgsql as $$
-- One batch of partition 0 of etl_finished_tasks; the tasks whose dispatches it answered.
declare
    v_ids bigint[];
begin
    select array_agg(d.task_run_id) into v_ids
    from orchestration.kafka_offset k
    cross join lateral orchestration.ingest(bridge, 'etl_finished_tasks',
        array(select 0 from unnest(events)), array(select k.next_offset + i - 1 from unnest(events) with ordinality e(e, i)),
        array(select null::bytea from unnest(events)), array(select convert_to(e::text, 'UTF8') from unnest(events) e),
        array[0], array[k.epoch], array[k.next_offset], array[k.next_offset + cardinality(events)], '{}') d
    where k.topic = 'etl_finished_tasks' and k.partition = 0;
    perform tap.transaction_ends();
    return query
    select t.name from orchestration.task_run r join orchestration.task t on t.id = r.task_id where r.id = any (v_ids);
end
$$;

create or replace function tap.as_role(role text, statement text) returns void
language plpgsql as $$
-- One statement as another role; pgTAP's own tables need ours.
begin
    execute format('set local role %I', role);
    execute statement;
    reset role;
end
$$;

create or replace function tap.minute(n numeric) returns void
language sql as $$
    -- sets the engine's clock to so many minutes after the transaction's begin
    select set_config('orchestration.clock', (now() + n * interval '1 minute')::text, true)
$$;

create or replace function tap.deliver() returns void
language sql as $$
    -- the broker took all that stands in the outbox
    select orchestration.confirm_dispatches(0, array(select d.task_run_id from orchestration.dispatch d))
$$;

create or replace function tap.reap() returns text
language sql as $$
    -- 'retries 1, timeouts 2': what a call of the reaper did; 'nothing'; or its outcome where that is not done
    select coalesce(nullif(concat_ws(', ', nullif(r.outcome, 'done'), 'retries ' || nullif(r.retries, 0), 'resends ' || nullif(r.resends, 0), 'timeouts ' || nullif(r.timeouts, 0),
                                     'graph_timeouts ' || nullif(r.graph_timeouts, 0), r.problem), ''), 'nothing')
    from orchestration.reap_stale_runs() r
$$;

create or replace function tap.purge_all() returns bigint
language plpgsql as $$
-- Calls purge until nothing is left; the rows it removed.
declare
    v_sum bigint := 0; v_n bigint;
begin
    for i in 1 .. 50 loop
        v_n := orchestration.purge('30 days', 10);
        exit when v_n = 0;
        v_sum := v_sum + v_n;
    end loop;
    return v_sum;
end
$$;
