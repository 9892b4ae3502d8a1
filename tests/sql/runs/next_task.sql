-- SPEC 4.2: a next task starts when all its predecessors in that run succeeded: exactly once. The acceptance graphs.
select plan(21);

select given_graph('line', '6 -> 7 -> [8, 9]'), given_acceptance();
select is(picture(launch_graph('line', '{"limit": 10}', '2026-11-22')), 'RUNNING | 6 DISPATCHED | 7 - | 8 - | 9 -', 'the root is dispatched');
select finish(run('line'), '6');
select is(pictures('line'), 'RUNNING | 6 SUCCESS | 7 DISPATCHED | 8 - | 9 -', '6 starts 7');
select tell(at(run('line'), '7'), 'RUNNING');
select is(pictures('line'), 'RUNNING | 6 SUCCESS | 7 RUNNING | 8 - | 9 -', 'RUNNING starts nothing');
select finish(run('line'), '7');
select is(pictures('line'), 'RUNNING | 6 SUCCESS | 7 SUCCESS | 8 DISPATCHED | 9 DISPATCHED', '7 starts 8 and 9');
select finish(run('line'), '7'), finish(run('line'), '7', 'FAILED');
select is(pictures('line'), 'RUNNING | 6 SUCCESS | 7 SUCCESS | 8 DISPATCHED | 9 DISPATCHED', 'a repeated end starts nothing, a contradicting one changes nothing');
select finish(run('line'), '8');
select is((select (status, finished_at)::text from graph_run where id = run('line')), '(RUNNING,)', 'a run goes on while a task does');
select finish(run('line'), '9');
select is((select status || ' ' || (finished_at is not null) from graph_run where id = run('line')), 'SUCCESS true', 'and ends with its last task');
select is((select count(*)::int from task_run), 4, 'a task run each');
select is((select count(distinct run_key)::int from task_run where run_key = '2026-11-22'), 1, 'that bears the run''s key');
select is((select count(*)::int from task_run where run_key is distinct from '2026-11-22'), 0, 'all of them');
select is((select params from graph_run where id = run('line')), '{"limit": 10}', 'the run keeps its params');

select say('1', 'SUCCESS');
select is(pictures('integration'), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited', '1 starts 2 and 4; 3 waits for 5');
select finish(run('integration'), '2'), finish(run('integration'), '4');
select is(pictures('integration'), 'RUNNING | 1 SUCCESS | 2 SUCCESS | 3 - | 4 SUCCESS | 5 awaited', 'the run waits for 5');
select say('5', 'SUCCESS');
select is(pictures('integration'), 'RUNNING | 1 SUCCESS | 2 SUCCESS | 3 DISPATCHED | 4 SUCCESS | 5 SUCCESS', '5 starts 3, once');
select finish(run('integration'), '3');
select is(pictures('integration'), 'SUCCESS | 1 SUCCESS | 2 SUCCESS | 3 SUCCESS | 4 SUCCESS | 5 SUCCESS', 'the end');
select is((select count(*)::int from task_run where task_id = task_id('3')), 1, 'one task run of 3');

-- all predecessors in one statement
select given_graph('join', 'a -> z', 'b -> z', 'c -> z', 'd -> z', 'z -> end');
select launch_graph('join');
update task_run set status = 'SUCCESS' where status = 'DISPATCHED' and task_id in (task_id('a'), task_id('b'), task_id('c'));
select is(pictures('join'), 'RUNNING | a SUCCESS | b SUCCESS | c SUCCESS | d DISPATCHED | end - | z -', 'three of four');
update task_run set status = 'SUCCESS' where status = 'DISPATCHED' and task_id = task_id('d');
select is(pictures('join'), 'RUNNING | a SUCCESS | b SUCCESS | c SUCCESS | d SUCCESS | end - | z DISPATCHED', 'the fourth');
select launch_graph('join');
update task_run set status = 'SUCCESS' where status = 'DISPATCHED' and task_id in (task_id('a'), task_id('b'), task_id('c'), task_id('d'));
select is(picture(run('join', 2)), 'RUNNING | a SUCCESS | b SUCCESS | c SUCCESS | d SUCCESS | end - | z DISPATCHED', 'four at once start it once');
select is((select count(*)::int from task_run where task_id = task_id('z')), 2, 'a task run each run');
select is((select count(*)::int from dispatch d join task_run t on t.id = d.task_run_id where t.task_id = task_id('z')), 2, 'a dispatch each');
