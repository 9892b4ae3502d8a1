-- SPEC 4.9: INSERT graph_run is launch_graph; UPDATE graph_run.status: only CANCELLED, which cancels.
select plan(24);

select given_task('r', 'nifi'), given_graph('g', 'a -> b', '[r, a] -> c');
insert into graph_run (graph_id, run_key, params) values (graph_id('g'), 'k', '{"p": 1}');
select is(pictures('g'), 'RUNNING | a DISPATCHED | b - | c - | r awaited', 'INSERT launches');
select is((select (run_key, params, opened_by)::text from graph_run), '(k,"{""p"": 1}",launch)', 'with key and params');
select is((select (source, old_status, new_status)::text from task_run_event where graph_run_id = run('g') and task_run_id is null), '(sql,,RUNNING)', 'the history has it');
insert into graph_run (graph_id) values (graph_id('g')), (graph_id('g'));
select is((select count(*)::int from task_run where task_id = task_id('a') and status = 'DISPATCHED'), 3, 'two rows launch two');

select refuses($$ insert into graph_run (graph_id) values (-1) $$, 'OR401', 'graph -1', 'an unknown graph');
select refuses($$ insert into graph_run (graph_id) values (null) $$, 'OR401', 'graph null', 'no graph');
select refuses($$ insert into graph_run (graph_id, params) values (graph_id('g'), '[]') $$, 'OR108', 'params', 'params that are no object');
select refuses($$ insert into graph_run (graph_id, run_key) values (graph_id('g'), '') $$, 'OR101', 'run key ""', 'an empty run key');
select refuses(format($$ insert into graph_run (graph_id, %s) values (graph_id('g'), %s) $$, c.name, c.value), 'OR303', 'graph "g"', 'inserted with ' || c.name)
from (values ('status', '''SUCCESS'''), ('status, finished_at', '''SUCCESS'', now()'), ('version_id', '1'), ('open_count', '5'), ('replaces_id', '1'), ('opened_by', '''event''')) c(name, value);

select refuses(format('update graph_run set status = %L where id = %s', s.status, run('g')), 'OR301', format('graph run %s is RUNNING and cannot be set to', run('g')), 'RUNNING -> ' || s.status)
from (values ('SUCCESS'), ('FAILED'), ('QUEUED'), ('done')) s(status);
select refuses(format('update graph_run set status = null where id = %s', run('g')), 'OR301', format('graph run %s', run('g')), 'RUNNING -> null');
select refuses(format('update graph_run set run_key = %L where id = %s', 'x', run('g')), 'OR302', format('graph run %s', run('g')), 'its key never changes');
select refuses(format('update graph_run set graph_id = 0 where id = %s', run('g')), 'OR302', format('graph run %s', run('g')), 'nor its graph');
select refuses(format('update graph_run set id = 0 where id = %s', run('g')), 'OR302', format('graph run %s', run('g')), 'nor its id');
update graph_run set status = 'RUNNING' where id = run('g');
select is((select count(*)::int from task_run_event where graph_run_id = run('g') and task_run_id is null), 1, 'the same value: no effect');
select is(picture(run('g')), 'RUNNING | a DISPATCHED | b - | c - | r awaited', 'what was refused changed nothing');
