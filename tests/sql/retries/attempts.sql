-- SPEC 4.6: reported FAILED of an execution we dispatched, with attempts left: a new attempt, a new task run in the same open runs, after
-- retry_delay, doubling up to 1 h. SPEC 4.2: a task's state in a run is that of its last attempt there.
select plan(43);

select clock('2026-11-22T03:00:00Z');
select given_graph('g', 'a -> b -> c');
update task set max_attempts = 3, retry_delay = '40 minutes' where name = 'b';
create function pg_temp.waits(task_run bigint) returns text language sql as $$
    select format('%s %s of task run %s, due in %s', t.status, t.attempt, t.retry_of_id, t.due_at - orchestration._now()) from orchestration.task_run t where t.id = task_run
$$;
create function pg_temp.attempt(graph_run bigint, task text, n integer) returns bigint language sql as $$
    select l.task_run_id from orchestration.graph_run_task_run l where l.graph_run_id = graph_run and l.task_id = tap.task_id(task) and l.attempt = n
$$;

-- one failure after the other, and then success
select launch_graph('g', run_key => 'k');
select finish(run('g'), 'a'), finish(run('g'), 'b', 'FAILED');
select is(pictures('g'), 'RUNNING | a SUCCESS | b QUEUED | c -', 'a failure with attempts left: the graph run waits');
select is(pg_temp.waits(at(run('g'), 'b')), format('QUEUED 2 of task run %s, due in 00:40:00', pg_temp.attempt(run('g'), 'b', 1)), 'a new task run, after retry_delay');
select is((select (graph_run_id, run_key, shared, dispatched_at, config)::text from task_run where id = at(run('g'), 'b')), format('(%s,k,f,,)', run('g')), 'of the same graph run and key, not dispatched');
select is(state(pg_temp.attempt(run('g'), 'b', 1)), 'FAILED', 'the first attempt stays FAILED');
select is(history(at(run('g'), 'b')), '- > QUEUED', 'history: it was made');
select is((select (source, detail)::text from last_event(at(run('g'), 'b'))), format('(event,"attempt 2 of 3, after task run %s")', pg_temp.attempt(run('g'), 'b', 1)), 'by the event, and why');
select is(dispatched('b'), 1::bigint, 'nothing more is sent yet');
select is((select open_count from graph_run where id = run('g')), 2, 'the place is not counted off');
select is(_dispatch(array[at(run('g'), 'b')]), 1, 'when its time comes it is dispatched');
select is((select (d.value::jsonb ->> 'attempt', d.value::jsonb -> 'graph_run_ids', d.value::jsonb ->> 'run_key')::text from dispatch d where d.task_run_id = at(run('g'), 'b')), format('(2,[%s],k)', run('g')), 'as attempt 2');
select is((select (detail, dispatched_at is not null)::text from task_run where id = at(run('g'), 'b')), '(,t)', 'the words of waiting are gone');
select is(_dispatch(array[at(run('g'), 'b')]), 0, 'once');
select finish(run('g'), 'b', 'FAILED');
select is(pg_temp.waits(at(run('g'), 'b')), format('QUEUED 3 of task run %s, due in 01:00:00', pg_temp.attempt(run('g'), 'b', 2)), 'doubled, but at most 1 hour');
update task_run set status = 'DISPATCHED' where id = at(run('g'), 'b');
select is((select status from task_run where id = at(run('g'), 'b')), 'DISPATCHED', 'a DBA may send it at once');
select finish(run('g'), 'b');
select is(pictures('g'), 'RUNNING | a SUCCESS | b SUCCESS | c DISPATCHED', 'its success starts what it unblocks');
select is((select count(*)::int from task_run where task_id = task_id('c')), 1, 'once');
select finish(run('g'), 'c');
select is((select status from graph_run), 'SUCCESS', 'the last attempt decides: the graph run succeeds');

-- no attempt left
select launch_graph('g'), finish(run('g', 2), 'a');
update task set max_attempts = 2, retry_delay = '1 second' where name = 'b';
select finish(run('g', 2), 'b', 'FAILED');
select _dispatch(array[at(run('g', 2), 'b')]);
select finish(run('g', 2), 'b', 'FAILED');
select is(picture(run('g', 2)), 'FAILED | a SUCCESS | b FAILED | c SKIPPED', 'no attempt left: final');
select is((select count(*)::int from graph_run_task_run where graph_run_id = run('g', 2) and task_id = task_id('b')), 2, 'two attempts in all');
select is((select t.detail from task_run t where t.id = at(run('g', 2), 'c')), 'task b ended FAILED', 'what is downstream says why');

-- final at once: by hand, config, skipped, never dispatched, a tool's own work
update task set max_attempts = 5 where true;
select launch_graph('g'), finish(run('g', 3), 'a');
update task_run set status = 'FAILED' where id = at(run('g', 3), 'b');
select is(picture(run('g', 3)), 'FAILED | a SUCCESS | b FAILED | c SKIPPED', 'FAILED by plain SQL is marked: final');
select launch_graph('g'), finish(run('g', 4), 'a'), finish(run('g', 4), 'b', 'SKIPPED');
select is(picture(run('g', 4)), 'SUCCESS | a SUCCESS | b SKIPPED | c SKIPPED', 'SKIPPED is no failure');
select launch_graph('g'), finish(run('g', 5), 'a');
select mark_task_run(at(run('g', 5), 'b'), 'FAILED');
select is(picture(run('g', 5)), 'FAILED | a SUCCESS | b FAILED | c SKIPPED', 'marked by hand: final');
select given_task('n', 'nifi'), given_graph('own', 'n -> m');
update task set max_attempts = 5 where name = 'n';
select say('n', 'FAILED');
select is(pictures('own'), 'FAILED | m SKIPPED | n FAILED', 'work a tool started by itself: final');
select launch_graph('g'), finish(run('g', 6), 'a'), finish(run('g', 6), 'b', 'FAILED');
select finish(run('g', 6), 'b', 'FAILED');
select is(picture(run('g', 6)), 'FAILED | a SUCCESS | b FAILED | c SKIPPED', 'a failure of what was not dispatched yet: no execution of ours');
select launch_graph('g'), finish(run('g', 7), 'a');
select finish(run('g', 7), 'b', 'RUNNING'), finish(run('g', 7), 'b', 'FAILED');
select is(picture(run('g', 7)), 'RUNNING | a SUCCESS | b QUEUED | c -', 'RUNNING before changes nothing');

-- by hand, what waits for its retry
update task_run set status = 'CANCELLED' where id = at(run('g', 7), 'b');
select is(picture(run('g', 7)), 'CANCELLED | a SUCCESS | b CANCELLED | c SKIPPED', 'a retry cancelled');
select launch_graph('g'), finish(run('g', 8), 'a'), finish(run('g', 8), 'b', 'FAILED');
update task_run set status = 'SUCCESS' where id = at(run('g', 8), 'b');
select is(picture(run('g', 8)), 'RUNNING | a SUCCESS | b SUCCESS | c DISPATCHED', 'a retry marked SUCCESS starts what it unblocks');
select launch_graph('g'), finish(run('g', 9), 'a'), finish(run('g', 9), 'b', 'FAILED');
update graph_run set status = 'CANCELLED' where id = run('g', 9);
select is(picture(run('g', 9)), 'CANCELLED | a SUCCESS | b CANCELLED | c SKIPPED', 'the graph run cancelled: the retry too');
select is(_dispatch(array[at(run('g', 9), 'b')]), 0, 'and is not sent any more');

-- an execution that ended after its graph run did
select launch_graph('g'), finish(run('g', 10), 'a');
update graph_run set status = 'CANCELLED' where id = run('g', 10);
select finish(run('g', 10), 'b', 'FAILED');
select is((select count(*)::int from graph_run_task_run where graph_run_id = run('g', 10) and task_id = task_id('b')), 1, 'what we ended is not tried again');

-- alone
insert into task_run (task_id, run_key) values (task_id('b'), 'alone');
select tell((select id from task_run where run_key = 'alone'), 'FAILED');
select is((select string_agg(format('%s %s', attempt, status), ', ' order by id) from task_run where run_key = 'alone'), '1 FAILED, 2 QUEUED', 'a task run alone is tried again too');
select _dispatch(array(select id from task_run where run_key = 'alone' and status = 'QUEUED'));
select is(dispatched('b'), (select count(*) from dispatch d join task_run t on t.id = d.task_run_id where t.task_id = task_id('b')), 'it is sent');
select is((select d.value::jsonb -> 'graph_run_ids' from dispatch d join task_run t on t.id = d.task_run_id where t.run_key = 'alone' and t.attempt = 2), '[]', 'for no graph run');
select tell((select id from task_run where run_key = 'alone' and attempt = 2), 'SUCCESS');
select is((select count(*)::int from graph_run_task_run l join task_run t on t.id = l.task_run_id where t.run_key = 'alone'), 0, 'it joins nothing');
insert into task_run (task_id, run_key) values (task_id('a'), 'root');
select tell((select id from task_run where run_key = 'root'), 'FAILED');
select say('a', 'SUCCESS', 'root');
select is((select string_agg(format('%s %s', attempt, status), ', ' order by id) from task_run where run_key = 'root'), '1 FAILED, 2 SUCCESS', 'an event without id finds what waits for its retry');
select is((select count(*)::int from graph_run where run_key = 'root'), 0, 'the end of a lone retry of a root opens nothing');

select refuses(format('update task_run set retry_of_id = 1 where id = %s', at(run('g'), 'a')), 'OR302', 'task run', 'the link between attempts never changes');

-- delays
create function pg_temp.delay(delay interval, attempt integer) returns interval language plpgsql as $$
declare
    v_id bigint;
begin
    update orchestration.task t set retry_delay = delay.delay, max_attempts = 1000 where t.name = 'm';
    set local session_replication_role = replica;
    insert into orchestration.task_run (task_id, status, attempt, dispatched_at) values (tap.task_id('m'), 'DISPATCHED', delay.attempt, now()) returning id into v_id;
    set local session_replication_role = origin;
    perform tap.tell(v_id, 'FAILED');
    return (select t.due_at - t.created_at from orchestration.task_run t where t.retry_of_id = v_id);
end
$$;
select is(pg_temp.delay(d.delay, d.attempt), d.due, format('%s, attempt %s', d.delay, d.attempt))
from (values (interval '0', 7, interval '0'), ('90 seconds', 4, '12 minutes'), ('1 year', 1, '1 hour'), ('1 second', 999, '1 hour'), ('1 second', 12, '00:34:08')) d(delay, attempt, due);
