-- SPEC 4.9: DELETE only of ended rows that nothing shares; history stays. TRUNCATE is refused.
select plan(30);

select given_graph('g', 'a -> b'), given_graph('other', 'b -> c');
select launch_graph('g');
select refuses(format('delete from task_run where id = %s', at(run('g'), 'a')), 'OR306', format('task run %s is DISPATCHED', at(run('g'), 'a')), 'a task run in flight');
select finish(run('g'), 'a');
select refuses(format('delete from task_run where id = %s', at(run('g'), 'a')), 'OR306', format('task run %s stands in graph run %s, which is open', at(run('g'), 'a'), run('g')), 'an ended one of an open run');
select refuses(format('delete from graph_run where id = %s', run('g')), 'OR306', format('graph run %s is open', run('g')), 'an open graph run');
select refuses(format('delete from graph_run_task_run where graph_run_id = %s', run('g')), 'OR306', format('graph run %s is open', run('g')), 'a link of an open run');
select finish(run('g'), 'b');
select finish(run('other'), 'c');
select is((select array_agg(status) from graph_run), array['SUCCESS', 'SUCCESS'], 'two ended runs share b');
select refuses(format('delete from task_run where id = %s', at(run('g'), 'b')), 'OR306', format('task run %s', at(run('g'), 'b')), 'a task run that two graph runs share');
select refuses(format('delete from graph_run where id = %s', run('g')), 'OR306', format('graph run %s shares task run %s', run('g'), at(run('g'), 'b')), 'a graph run that shares a task run');
select refuses(format('delete from graph_run_task_run where task_run_id = %s', at(run('g'), 'b')), 'OR306', format('task run %s', at(run('g'), 'b')), 'the link of a shared task run');
-- what can go
create temp table gone as select at(run('g'), 'a') as id;
create temp table history_before as select count(*) as n from task_run_event;
select lives_ok($$ delete from task_run where id = (select id from gone) $$, 'an ended task run of an ended run');
select is((select count(*)::int from task_run where id = (select id from gone)), 0, 'is gone');
select is((select count(*)::int from graph_run_task_run where task_run_id = (select id from gone)), 0, 'with its link');
select cmp_ok((select count(*) from task_run_event), '>=', (select n from history_before), 'its history stays');
select is((select count(*)::int from task_run_event where task_run_id = (select id from gone)), 2, 'whole');
-- a whole graph run
select launch_graph('g', run_key => 'x');
select finish(run('g', 2), 'a', 'FAILED');
create temp table lone as select run('g', 2) as id;
create temp table kept as select task_run_id as id from graph_run_task_run where graph_run_id = (select id from lone);
select lives_ok($$ delete from graph_run where id = (select id from lone) $$, 'an ended graph run that shares nothing');
select is((select count(*)::int from graph_run where id = (select id from lone)), 0, 'is gone');
select is((select count(*)::int from graph_run_task_run where graph_run_id = (select id from lone)), 0, 'with its links');
select is((select count(*)::int from task_run_event where graph_run_id = (select id from lone) and task_run_id is null), 2, 'its history stays');
select is((select count(*)::int from task_run t join kept k on k.id = t.id), 2, 'so do its task runs');
select lives_ok($$ delete from task_run where id in (select id from kept) $$, 'which can go then');
-- links
select launch_graph('g', run_key => 'y');
select finish(run('g', -1), 'a', 'FAILED');
select lives_ok(format('delete from graph_run_task_run where graph_run_id = %s and task_run_id = %s', run('g', -1), at(run('g', -1), 'b')), 'a link of an ended run, of a task run nothing else shares');
select refuses(format('update graph_run_task_run set graph_run_id = 1 where graph_run_id = %s', run('g', -1)), 'OR302', 'task run', 'a link never changes');
select refuses(format('update graph_run_task_run set attempt = 7 where graph_run_id = %s', run('g', -1)), 'OR302', 'task run', 'not its attempt either');
-- one bad row refuses the whole statement
select refuses('delete from graph_run', 'OR306', 'shares task run', 'all at once');
select cmp_ok((select count(*) from graph_run), '>', 2::bigint, 'none is gone');
-- TRUNCATE
select refuses('truncate ' || t.name, 'OR305', t.name, 'truncate ' || t.name)
from (values ('task_run'), ('graph_run'), ('graph_run_task_run'), ('task_run_event')) t(name);
select refuses('truncate task_run, graph_run, graph_run_task_run cascade', 'OR305', 'TRUNCATE', 'all of them, cascading');
select is((select count(*)::int from task_run_event where task_run_id = (select id from gone)), 2, 'history is still there');
