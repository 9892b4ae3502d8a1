-- SPEC 4.5: archived is out of resolution and launch, by hand too; what live runs or history use is not deleted, whichever way the run came about.
select plan(25);

select given_graph('g', 'a -> b -> c'), given_task('lone');
select launch_tasks('g', array['b']);
insert into chain (previous_task_id, next_task_id) values (task_id('lone'), task_id('c'));
select launch_chain(chain_id('lone', 'c'));
-- archived
update task set archived = true where name = 'lone';
select refuses($$ insert into task_run (task_id) values (task_id('lone')) $$, 'OR402', 'task "lone" is archived', 'an archived task is not run alone');
select refuses($$ insert into task_run (task_id, status) values (task_id('lone'), 'SUCCESS') $$, 'OR402', 'task "lone" is archived', 'nor reported by plain SQL');
select refuses($$ select launch_chain(chain_id('lone', 'c')) $$, 'OR402', 'task "lone"', 'nor its chain');
update task set archived = false where name = 'lone';
update process set archived = true where uid = 'p_lone';
select refuses($$ insert into task_run (task_id) values (task_id('lone')) $$, 'OR402', 'task "lone" is archived', 'by its process');
update process set archived = false where uid = 'p_lone';
update service set archived = true where name = 'airflow';
select refuses($$ insert into task_run (task_id) values (task_id('lone')) $$, 'OR402', 'task "lone" is archived', 'by its service');
select refuses($$ select launch_tasks('g', array['b']) $$, 'OR402', 'graph "g"', 'a graph of archived tasks is empty');
select is(pictures('g'), 'RUNNING | b DISPATCHED | c -', 'what is in flight');
select finish(run('g'), 'b');
select is(pictures('g'), 'RUNNING | b SUCCESS | c DISPATCHED', 'goes on');
update service set archived = false where name = 'airflow';
-- a mark and a cancel in a run whose graph is archived end it; only a take-over needs the graph
update graph set archived = true where name = 'g';
select lives_ok(format('select mark_task_run(%s, %L)', at(run('g'), 'c'), 'FAILED'), 'a mark of what has not ended');
select is(pictures('g'), 'FAILED | b SUCCESS | c FAILED', 'in an archived graph');
select refuses(format('select mark_task_run(%s, %L)', at(run('g'), 'c'), 'SUCCESS'), 'OR402', 'graph "g"', 'but no take-over');
update graph set archived = false where name = 'g';

-- what is used is not deleted
select refuses($$ delete from task where name = 'b' $$, 'OR103', 'task [0-9]+ is used by chain', 'a task in a chain');
delete from graph_chain where graph_id = graph_id('g');
delete from chain;
select refuses($$ delete from graph where name = 'g' $$, 'OR103', 'graph [0-9]+ is used by graph run', 'a graph with a partial run');
select refuses($$ delete from task where name = 'lone' $$, 'OR103', 'task [0-9]+ is used by task run', 'a task that ran in a run without graph');
select refuses($$ delete from task where name = 'c' $$, 'OR103', 'task [0-9]+ is used by (graph|task) run', 'a task that is pinned only');
select refuses($$ delete from process where uid = 'p_lone' $$, 'OR103', 'process [0-9]+ is used by task "lone"', 'a process');
select refuses($$ delete from service where name = 'airflow' $$, 'OR103', 'service [0-9]+ is used by process', 'a service');
-- a task not started yet in a run without graph
select given_task('p'), given_task('q');
insert into chain (previous_task_id, next_task_id) values (task_id('p'), task_id('q'));
select launch_chain(chain_id('p', 'q'));
delete from chain;
select refuses($$ delete from task where name = 'q' $$, 'OR103', 'task [0-9]+ is used by graph run', 'q waits in a run of a chain that is no more');
select is((select finish(max(id), 'p') is not null from graph_run), true, 'the run goes on');
select is((select picture(max(id)) from graph_run), 'RUNNING | p SUCCESS | q DISPATCHED', 'as its version says');

-- a paused graph: reruns and marks are taken and held; launches are refused
select given_graph('h', 'x -> y -> z');
select launch_graph('h'); select finish(run('h'), 'x'); select finish(run('h'), 'y', 'FAILED');
update graph set paused = true where name = 'h';
select refuses($$ select launch_chain(chain_id('x', 'y')) $$, 'OR408', 'graph "h" is paused', 'a chain of a paused graph is not launched');
select is(picture(rerun(run('h'))), 'RUNNING | x SUCCESS | y QUEUED | z -', 'a rerun is held');
select mark_task_run(at(run('h', 2), 'y'), 'SUCCESS');
select is(picture(run('h', 2)), 'RUNNING | x SUCCESS | y SUCCESS | z QUEUED', 'a mark is taken, what follows is held');
update graph set paused = false where name = 'h';
select is(picture(run('h', 2)), 'RUNNING | x SUCCESS | y SUCCESS | z DISPATCHED', 'and sent by the resume');
-- a graph that was paused leaves nothing behind
insert into graph (name) values ('i');
update graph set paused = true where name = 'i';
delete from graph where name = 'i';
select is((select count(*)::int from graph_pause p where not exists (select from graph g where g.id = p.graph_id)), 0, 'nor does its pause when it is deleted');
