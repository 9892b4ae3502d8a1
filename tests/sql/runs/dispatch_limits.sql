-- SPEC 3: a dispatch over 1 MiB is FAILED, config. SPEC 4.5, 4.6: time-outs are read at dispatch; due_at is the first instant the reaper must look.
select plan(16);

select given_graph('g', 'a -> b'), given_graph('h', 'c -> d');
select clock('2026-11-22T03:00:00Z');

-- over 1 MiB: nothing is written, the task run fails for good, and what is downstream is skipped
set local session_replication_role = replica;
update task set config_template = jsonb_build_object('x', repeat('x', 1048576)) where name = 'b';
set local session_replication_role = origin;
select launch_graph('g'), launch_graph('g');
select report(jsonb_build_object('task_run_id', at(run('g', n), 'a'), 'status', 'SUCCESS')) from generate_series(1, 2) n;
select is(pictures('g'), E'FAILED | a SUCCESS | b FAILED\nFAILED | a SUCCESS | b FAILED', 'a dispatch over 1 MiB fails its task run');
select is(state(at(run('g'), 'b')), 'FAILED config', 'reason config');
select is((select detail from task_run where id = at(run('g'), 'b')), 'the dispatch is over 1 MiB', 'and says why');
select is(dispatched('b'), 0::bigint, 'nothing is sent');
select is(history(at(run('g'), 'b')), '- > DISPATCHED, DISPATCHED > FAILED', 'history');
select is((select awaits_tool from task_run where id = at(run('g'), 'b')), false, 'no tool has it');
-- just under it
update task set config_template = '{}' where name = 'b';
insert into task_run (task_id, config) values (task_id('b'), jsonb_build_object('x', repeat('x', 1048000))), (task_id('b'), jsonb_build_object('x', repeat('x', 1048576)));
select is((select string_agg(state(t.id), ', ' order by t.id) from task_run t where t.task_id = task_id('b') and t.graph_run_id is null), 'DISPATCHED, FAILED config', 'the limit, and a task run alone');
select is(dispatched('b'), 1::bigint, 'one is sent');
select is((select count(*)::int from graph_run), 2, 'a lone task run that fails joins nothing');

-- time-outs
create function pg_temp.clocks(task text) returns text language sql as $$
    select format('%s %s', t.timeout, t.due_at - t.dispatched_at) from orchestration.task_run t where t.task_id = tap.task_id(task) and t.attempt = 1 order by t.id desc limit 1
$$;
select launch_graph('h');
select is(pg_temp.clocks('c'), ' ', 'neither time-out nor acknowledgement: nothing to wait for');
update service set echoes_ids = true where name = 'airflow';
select launch_graph('h');
select is(pg_temp.clocks('c'), ' 00:05:00', 'a service that echoes ids: 5 minutes to acknowledge');
update task set timeout = '1 hour', ack_timeout = '10 minutes' where name = 'c';
select launch_graph('h');
select is(pg_temp.clocks('c'), '01:00:00 00:10:00', 'the earlier of the two');
update task set timeout = '2 minutes' where name = 'c';
insert into task_run (task_id) values (task_id('c'));
select is(pg_temp.clocks('c'), '00:02:00 00:02:00', 'the same for a task run alone');
update service set echoes_ids = false;
update task set ack_timeout = null, timeout = '3 minutes' where name = 'c';
set local session_replication_role = replica;
insert into task_run (task_id, status) values (task_id('c'), 'QUEUED');
set local session_replication_role = origin;
update task_run set status = 'DISPATCHED' where status = 'QUEUED';
select is(pg_temp.clocks('c'), '00:03:00 00:03:00', 'and for a plain UPDATE to DISPATCHED');
select tell(at(run('h', -1), 'c'), 'RUNNING');
select isnt((select due_at from task_run where id = at(run('h', -1), 'c')), null, 'events leave due_at alone');
select refuses(format('insert into task_run (task_id, %s) values (%s, %s)', c.name, task_id('c'), c.value), 'OR303', 'task "c"', c.name || ' is kept by the engine')
from (values ('due_at', 'now()')) c(name, value);
