-- SPEC 4.1: with task_run_id or external_id the final state does not depend on order between partitions (of contradicting ends the first
-- wins); leaving out any RUNNING event never changes an outcome.
select plan(11);

create function pg_temp.after_all(events jsonb[]) returns text language plpgsql as $$
-- What a list of events leads to; undone.
begin
    for i in 1 .. cardinality(events) loop
        perform orchestration.report(events[i]);
    end loop;
    raise exception using errcode = 'XX999', message = concat_ws(E'\n', tap.pictures('g'), tap.pictures('integration'),
        (select string_agg(concat_ws(' ', k.task_name, t.status, t.reason, t.run_key, t.external_id), ', ' order by k.task_name, t.run_key, t.external_id, t.status, t.reason)
         from orchestration.task_run t join orchestration.task_card k on k.task_id = t.task_id), tap.letters());
exception when sqlstate 'XX999' then
    return sqlerrm;
end
$$;
create function pg_temp.orders(events jsonb[]) returns setof jsonb[] language sql as $$
    with recursive p(taken, places) as (
        select '{}'::jsonb[], '{}'::integer[]
        union all
        select p.taken || events[i], p.places || i from p, generate_series(1, cardinality(events)) i where not i = any (p.places)
    )
    select taken from p where cardinality(taken) = cardinality(events)
$$;
select given_graph('g', 'a -> b'), given_acceptance();
select launch_graph('g', run_key => 'k');
-- by task_run_id
create temp table x as select distinct pg_temp.after_all(o) as result from pg_temp.orders(array[
    jsonb_build_object('task_run_id', at(run('g'), 'a'), 'status', 'ACCEPTED', 'external_id', 'x'), jsonb_build_object('task_run_id', at(run('g'), 'a'), 'status', 'RUNNING', 'external_id', 'x'),
    jsonb_build_object('task_run_id', at(run('g'), 'a'), 'status', 'SUCCESS', 'external_id', 'x')]) o;
select is((select count(*)::int from x), 1, 'ACCEPTED, RUNNING, SUCCESS by task_run_id: six orders, one result');
select matches((select min(result) from x), '^RUNNING \| a SUCCESS \| b DISPATCHED', 'b is started');
-- by external_id, work of the tool's own
create temp table y as select distinct pg_temp.after_all(o) as result from pg_temp.orders(array[
    '{"service": "nifi", "process": "p_1", "status": "RUNNING", "external_id": "x", "run_key": "k"}', '{"service": "nifi", "process": "p_1", "status": "SUCCESS", "external_id": "x", "run_key": "k"}',
    '{"service": "nifi", "process": "p_1", "status": "RUNNING", "external_id": "x", "run_key": "k", "event_id": "again"}', '{"service": "nifi", "process": "p_5", "status": "SUCCESS", "external_id": "x", "run_key": "k"}']::jsonb[]) o;
select is((select count(*)::int from y), 1, 'RUNNING twice and SUCCESS by external_id, and another process'' SUCCESS: 24 orders, one result');
select matches((select min(result) from y), 'RUNNING \| 1 SUCCESS \| 2 DISPATCHED \| 3 DISPATCHED \| 4 DISPATCHED \| 5 SUCCESS', 'one run');
-- contradicting ends: the first wins
select tell(at(run('g'), 'a'), 'SKIPPED');
select tell(at(run('g'), 'a'), 'SUCCESS');
select is(pictures('g'), 'SUCCESS | a SKIPPED | b SKIPPED', 'SKIPPED, then SUCCESS: the first wins');
select launch_graph('g', run_key => 'l');
select tell(at(run('g', 2), 'a'), 'SUCCESS');
select tell(at(run('g', 2), 'a'), 'FAILED');
select is(picture(run('g', 2)), 'RUNNING | a SUCCESS | b DISPATCHED', 'SUCCESS, then FAILED: the first wins');

-- RUNNING left out: random executions of roots, each with its id and key; their ends in random order, their RUNNING somewhere before or after
create temp table verdict (with_running text, without text);
do $$
declare
    v_all jsonb[];
    v_ends jsonb[];
begin
    perform setseed(0.3);
    for round in 1 .. 60 loop
        with execution as (
            select i, (array['1', '5'])[1 + floor(random() * 2)::int] as task, (array[null, 'k', 'l'])[1 + floor(random() * 3)::int] as key,
                   (array['SUCCESS', 'SUCCESS', 'FAILED', 'SKIPPED'])[1 + floor(random() * 4)::int] as status, random() as at
            from generate_series(1, 2 + round % 7) i
        ), event as (
            select at, jsonb_strip_nulls(jsonb_build_object('service', 'nifi', 'process', 'p_' || task, 'status', status, 'run_key', key, 'external_id', 'e' || i)) as e from execution
            union all
            select random(), jsonb_strip_nulls(jsonb_build_object('service', 'nifi', 'process', 'p_' || task, 'status', 'RUNNING', 'run_key', key, 'external_id', 'e' || i)) from execution
        )
        select array_agg(e order by at), array_agg(e order by at) filter (where e ->> 'status' <> 'RUNNING') into v_all, v_ends from event;
        insert into verdict values (pg_temp.after_all(v_all), pg_temp.after_all(v_ends));
    end loop;
end
$$;
select is((select count(*)::int from verdict where with_running is distinct from without), 0, 'leaving out RUNNING changes nothing');
select is((select format(E'%s\n--- without\n%s', with_running, without) from verdict where with_running is distinct from without order by length(without) limit 1), null, 'the shortest that differs');
select cmp_ok((select count(distinct without)::int from verdict), '>', 40, 'the lists were different ones');
-- with keys and without, as the tool that cannot give ids sends them
select is(pg_temp.after_all(array['{"service": "nifi", "process": "p_1", "status": "RUNNING", "run_key": "k"}', '{"service": "nifi", "process": "p_1", "status": "SUCCESS", "run_key": "k"}', '{"service": "nifi", "process": "p_1", "status": "SUCCESS", "run_key": "k"}']::jsonb[]),
          pg_temp.after_all(array['{"service": "nifi", "process": "p_1", "status": "SUCCESS", "run_key": "k"}', '{"service": "nifi", "process": "p_1", "status": "SUCCESS", "run_key": "k"}']::jsonb[]), 'without ids: RUNNING and its end, then a repeat');
select is(pg_temp.after_all(array['{"service": "nifi", "process": "p_1", "status": "SUCCESS", "run_key": "k"}', '{"service": "nifi", "process": "p_1", "status": "RUNNING", "run_key": "k"}', '{"service": "nifi", "process": "p_1", "status": "FAILED", "run_key": "k"}']::jsonb[]),
          pg_temp.after_all(array['{"service": "nifi", "process": "p_1", "status": "SUCCESS", "run_key": "k"}', '{"service": "nifi", "process": "p_1", "status": "FAILED", "run_key": "k"}']::jsonb[]), 'a success, then RUNNING and a failure');
