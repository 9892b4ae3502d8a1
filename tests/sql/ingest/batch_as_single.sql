-- SPEC 4.1: a batch has exactly the result of its events one by one in offset order. Random events over graphs that join, meet and repeat;
-- each list is taken in as one batch, undone, and taken in event by event.
select plan(4);

select given_acceptance(), given_graph('line', '6 -> 7 -> [8, 9]'), given_graph('integration', '4 -> 6');
select given_service('echo', 'echo_tasks', true), given_task('e1', 'echo'), given_task('e2', 'echo'), given_graph('echoing', 'e1 -> e2', 'e1 -> 8e');
create temp table bridge as select given_topic() as id;

create function pg_temp.story() returns text language sql as $$
    -- all that is to be seen of it; runs are told by graph, key, who opened them and their order there, not by id
    select concat_ws(E'\n',
        (select string_agg(concat_ws(' ', g.name, r.run_key, r.opened_by, r.nth) || ': ' || tap.picture(r.id) || concat_ws(' ', '', r.reason, 'replaces ' || (
                    select count(*) from orchestration.graph_run y where y.graph_id = r.graph_id and y.run_key is not distinct from r.run_key and y.opened_by = 'event' and y.id <= r.replaces_id)), E'\n'
                    order by g.name, r.run_key, r.opened_by, r.nth)
         from (select x.*, row_number() over (partition by x.graph_id, x.run_key, x.opened_by order by x.id) as nth from orchestration.graph_run x) r join orchestration.graph g on g.id = r.graph_id),
        (select string_agg(concat_ws(' ', k.task_name, t.status, t.reason, t.run_key, t.external_id, t.matched_by), ', ' order by k.task_name, t.run_key, t.status, t.external_id, t.matched_by, t.reason)
         from orchestration.task_run t join orchestration.task_card k on k.task_id = t.task_id),
        (select string_agg(d.reason || case when d.reason = 'ambiguous' then '' else ' ' || d.detail end, ', ' order by d.id) from orchestration.dead_letter d),
        (select count(*) from orchestration.dispatch), (select count(*) from orchestration.event_seen))
$$;
create function pg_temp.outcome(batch boolean, events jsonb[]) returns text language plpgsql as $$
declare
    v_story text;
begin
    if batch then
        perform tap.feed((select id from bridge), variadic events);
    else
        for i in 1 .. cardinality(events) loop
            perform tap.feed((select id from bridge), events[i]);
        end loop;
    end if;
    v_story := pg_temp.story();
    raise exception using errcode = 'XX999', message = v_story;
exception
    when sqlstate 'XX999' then
        return sqlerrm;
    when others then
        return format('error %s: %s', sqlstate, sqlerrm);
end
$$;
create function pg_temp.random_events(n integer) returns jsonb[] language sql volatile as $$
    select array_agg(jsonb_strip_nulls(jsonb_build_object(
               'service', s.name, 'process', p.uid,
               'status', (array['SUCCESS', 'SUCCESS', 'SUCCESS', 'SUCCESS', 'RUNNING', 'FAILED', 'SKIPPED', 'ACCEPTED'])[1 + floor(random() * 8)::int],
               'run_key', (array[null, null, 'k', 'l'])[1 + floor(random() * 4)::int],
               'external_id', case when random() < 0.25 then 'x' || floor(random() * 4) end,
               'event_id', case when random() < 0.15 then 'e' || floor(random() * 3) end)) order by i)
    from (select i, (array['1', '1', '5', '5', '2', '3', '4', '4', '6', '6', '7', '8', 'e1', 'e2', '1', '5'])[1 + floor(random() * 16)::int] as name from generate_series(1, n) i) x
    join orchestration.task t on t.name = x.name join orchestration.process p on p.id = t.process_id join orchestration.service s on s.id = p.service_id
$$;
create temp table result (seed integer, events jsonb[], batch text, single text);
do $$
declare
    v_events jsonb[];
begin
    perform setseed(0.17);
    for seed in 1 .. 120 loop
        v_events := pg_temp.random_events(2 + seed % 14);
        insert into result values (seed, v_events, pg_temp.outcome(true, v_events), pg_temp.outcome(false, v_events));
    end loop;
end
$$;
select is((select count(*)::int from result where batch = '' or single = ''), 0, 'each list leads to something');
select is((select count(*)::int from result where batch like 'error%' or single like 'error%'), 0, 'none to an error');
select is((select count(*)::int from result where batch <> single and single not like 'error%'), 0, 'no list has another result as a batch');
select is((select format(E'%s\n--- batch\n%s\n--- single\n%s', array_to_string(events, E'\n'), batch, single) from result where batch <> single or batch like 'error%' order by cardinality(events), seed limit 1), null, 'the shortest list that fails');
