-- SPEC 4.1: a batch has exactly the result of its events one by one: failures with attempts left, late successes, corrections, time-outs, pauses.
-- Each random list is taken in as one batch, undone, and taken in event by event; both start from runs in every stage.
select plan(5);

select given_service('echo', 'echo_tasks', true), given_task('e1', 'echo'), given_task('e2', 'echo'), given_task('r', 'nifi');
select given_graph('g', 'a -> b -> c', 'a -> d', '[b, d] -> e'), given_graph('h', 'e1 -> e2', 'r -> e2', 'c -> f');
update task set max_attempts = 2 where name in ('a', 'b', 'e1');
update task set max_attempts = 3 where name = 'd';
create temp table bridge as select given_topic() as id;
-- runs in every stage: fresh, failed for good, waiting for a retry, timed out, taken over, retried and under way
select launch_graph('g'), launch_graph('g', run_key => 'k'), launch_graph('g', run_key => 'k'), launch_graph('g'), launch_graph('g');
select launch_graph('h'), launch_graph('h', run_key => 'k'), say('r', 'SUCCESS', 'k'), say('r', 'FAILED', 'k', 'own');
select finish(run('g', 2), 'a'), finish(run('g', 2), 'b', 'FAILED');
select finish(run('g', 3), 'a'), tell(at(run('g', 3), 'b'), 'FAILED', 'x0'), _dispatch(array[at(run('g', 3), 'b')]), finish(run('g', 3), 'b', 'FAILED'), finish(run('g', 3), 'd', 'FAILED');
select finish(run('g', 4), 'a'), finish(run('g', 4), 'd'), finish(run('g', 4), 'b');
update task_run set status = 'FAILED', reason = 'timeout' where id in (at(run('g', 5), 'a'), at(run('h', 1), 'e1'));
create temp table aim as select t.id, t.task_id from task_run t;

create function pg_temp.story() returns text language sql as $$
    -- all that is to be seen of it; new rows are told by where they stand, not by id
    select concat_ws(E'\n',
        (select string_agg(concat_ws(' ', g.name, r.run_key, r.opened_by, r.nth, r.status, r.reason, r.open_count, 'replaces', (
                    select count(*) from orchestration.graph_run y where y.graph_id = r.graph_id and y.run_key is not distinct from r.run_key and y.id <= r.replaces_id)) || ': ' || p.words, E'\n'
                    order by g.name, r.run_key, r.opened_by, r.nth)
         from (select x.*, row_number() over (partition by x.graph_id, x.run_key, x.opened_by order by x.id) as nth from orchestration.graph_run x) r join orchestration.graph g on g.id = r.graph_id
         cross join lateral (select string_agg(concat_ws(' ', k.task_name, l.attempt, t.status, t.reason), ', ' order by k.task_name, l.attempt) as words
                             from orchestration.graph_run_task_run l join orchestration.task_run t on t.id = l.task_run_id join orchestration.task_card k on k.task_id = l.task_id
                             where l.graph_run_id = r.id) p),
        (select count(*) from orchestration.awaited_root),
        (select string_agg(w.words, ', ' order by w.words)
         from (select concat_ws(' ', k.task_name, t.attempt, t.status, t.reason, t.run_key, t.external_id, t.matched_by, t.shared, t.awaits_tool, 'due ' || t.due_at, 'of ' || f.words,
                                (select string_agg(concat_ws('>', e.old_status, e.new_status, e.reason, e.matched_by), ' ' order by e.id) from orchestration.task_run_event e where e.task_run_id = t.id)) as words
               from orchestration.task_run t join orchestration.task_card k on k.task_id = t.task_id
               left join lateral (select concat_ws('/', x.attempt, x.status, x.reason, x.external_id) as words from orchestration.task_run x where x.id = t.retry_of_id) f on true) w),
        (select string_agg(d.reason || case when d.reason = 'ambiguous' then '' else ' ' || d.detail end, ', ' order by d.id) from orchestration.dead_letter d),
        (select count(*) from orchestration.dispatch), (select count(*) from orchestration.event_seen))
$$;
create function pg_temp.outcome(batch boolean, events jsonb[], paused text default null) returns text language plpgsql as $$
declare
    v_story text;
begin
    if paused is not null then
        perform orchestration.pause_graph(paused);
    end if;
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
create function pg_temp.random_events(n integer, blind float8) returns jsonb[] language sql volatile as $$
    select array_agg(jsonb_strip_nulls(jsonb_build_object(
               'task_run_id', case when x.blind >= blind then x.id end,
               'service', case when x.blind < blind then s.name end, 'process', case when x.blind < blind then p.uid end,
               'status', (array['SUCCESS', 'SUCCESS', 'SUCCESS', 'FAILED', 'FAILED', 'FAILED', 'RUNNING', 'SKIPPED', 'ACCEPTED'])[1 + floor(random() * 9)::int],
               'run_key', case when x.blind < blind then (array[null, 'k'])[1 + floor(random() * 2)::int] end,
               'external_id', case when random() < 0.25 then 'x' || floor(random() * 3) end,
               'event_id', case when random() < 0.15 then 'e' || floor(random() * 3) end)) order by x.i)
    from (select i, random() as blind, (select a.id from (select id, row_number() over () as nth, count(*) over () as all from aim) a where a.nth = 1 + floor(i * 0 + r * a.all)) as id
          from (select i, random() as r from generate_series(1, n) i) y) x
    join aim a on a.id = x.id
    join orchestration.task t on t.id = a.task_id join orchestration.process p on p.id = t.process_id join orchestration.service s on s.id = p.service_id
$$;
select clock('2026-11-22T03:00:00Z');
create temp table result (seed integer, events jsonb[], batch text, single text);
do $$
declare
    v_events jsonb[];
begin
    perform setseed(0.23);
    for seed in 1 .. 70 loop
        v_events := pg_temp.random_events(2 + seed % 12, (array[0, 0.3, 0.7])[1 + seed % 3]);
        insert into result values (seed, v_events, pg_temp.outcome(true, v_events, (array['g', 'h', null, null])[1 + seed % 4]), pg_temp.outcome(false, v_events, (array['g', 'h', null, null])[1 + seed % 4]));
    end loop;
end
$$;
select is((select count(*)::int from result where batch like 'error%' or single like 'error%'), 0, 'none to an error');
select ok((select count(*) from result where batch ~ 'correction') > 10 and (select count(*) from result where batch ~ 'SUCCESS late') > 10, 'corrections and late ends are among them');
select is((select count(*)::int from result where batch <> single and single not like 'error%'), 0, 'no list has another result as a batch');
select is((select format(E'%s\n--- batch\n%s\n--- single\n%s', array_to_string(events, E'\n'), batch, single) from result where batch <> single or batch like 'error%' order by cardinality(events), seed limit 1), null, 'the shortest list that fails');

-- 500 mixed: every second execution fails and succeeds after all, in one batch, shuffled among plain ends
select launch_graph('g') from generate_series(1, 250);
create temp table mixed as
select array_agg(jsonb_build_object('task_run_id', x.id, 'status', x.status) order by x.o) as events
from (select at(r.id, 'a') as id, s.status, s.step + (hashtext(r.id::text) % 50) * 0.001 + case when r.id % 2 = 0 then r.id else 0 end as o
      from graph_run r cross join (values ('FAILED', 1), ('SUCCESS', 2)) s(status, step)
      where r.graph_id = graph_id('g') and r.id >= run('g', -250)) x;
select is(pg_temp.outcome(true, events), pg_temp.outcome(false, events), '500 mixed in one batch') from mixed;
