-- SPEC 2: the application (and a DBA who is a member of it) works with plain SQL under the same rules and gets the same effects.
select plan(34);

create function pg_temp.app(statement text) returns text language sql as $$
    select tap.lives_ok(format('select tap.as_role(%L, %L)', 'orchestration_app', statement), 'app: ' || left(statement, 100))
$$;
select given_graph('g', 'a -> b -> c'), given_graph('loose', 'd -> e');
delete from graph_chain where graph_id = graph_id('loose');
select pg_temp.app('insert into orchestration.service (name, dispatch_topic) values (''own'', ''own_tasks'')');
select pg_temp.app('insert into orchestration.process (service_id, uid) select s.id, ''own'' from orchestration.service s where s.name = ''airflow''');
select pg_temp.app('insert into orchestration.task (process_id, name) select p.id, ''own'' from orchestration.process p where p.uid = ''p_a''');
select pg_temp.app('insert into orchestration.graph (name) values (''own'')');
select pg_temp.app('insert into orchestration.chain (previous_task_id, next_task_id) select a.id, b.id from orchestration.task a, orchestration.task b where (a.name, b.name) = (''b'', ''d'')');
select pg_temp.app('insert into orchestration.graph_chain (graph_id, chain_id) select g.id, c.id from orchestration.graph g, orchestration.chain c where g.name = ''loose'' and c.id not in (select chain_id from orchestration.graph_chain)');
select pg_temp.app('update orchestration.service set corrections = false');
select pg_temp.app('update orchestration.process set archived = false');
select pg_temp.app('update orchestration.task set timeout = ''1 hour''');
select pg_temp.app('update orchestration.graph set owner = ''me''');
select pg_temp.app('insert into orchestration.graph_run (graph_id, run_key) select g.id, ''k'' from orchestration.graph g where g.name = ''g''');
select is(pictures('g'), 'RUNNING | a DISPATCHED | b - | c -', 'the launch has its effects');
select pg_temp.app('update orchestration.task_run set status = ''SUCCESS'' where status = ''DISPATCHED''');
select is(pictures('g'), 'RUNNING | a SUCCESS | b DISPATCHED | c -', 'so has the UPDATE');
select pg_temp.app('select orchestration.report(''{"service": "airflow", "process": "p_b", "status": "SUCCESS", "run_key": "k"}'')');
select is(pictures('g'), 'RUNNING | a SUCCESS | b SUCCESS | c DISPATCHED', 'and report');
select pg_temp.app('insert into orchestration.task_run (task_id, status, run_key) select t.id, ''SUCCESS'', ''own'' from orchestration.task t where t.name = ''a''');
select is(picture(run('g', 2)), 'RUNNING | a SUCCESS | b DISPATCHED | c -', 'and INSERT');
select pg_temp.app('update orchestration.graph_run set status = ''CANCELLED'' where run_key = ''own''');
select is(picture(run('g', 2)), 'CANCELLED | a SUCCESS | b CANCELLED | c SKIPPED', 'and cancelling');
select pg_temp.app('delete from orchestration.graph_run where run_key = ''own''');
select pg_temp.app('select orchestration.launch_graph(''g'', ''{}'', ''l'')');
select pg_temp.app('select orchestration.stop_service()');
select pg_temp.app('select orchestration.start_service()');
select pg_temp.app('select orchestration.service_status()');
select pg_temp.app('select orchestration.purge(''1 day'', 10)');
select pg_temp.app('delete from orchestration.graph_chain');
select pg_temp.app('delete from orchestration.chain');

-- the same refusals, with our codes
select refuses($$ select as_role('orchestration_app', 'insert into orchestration.service (name) values ('''')') $$, 'OR101', 'service name ""', 'the application is refused as anybody');
select refuses($$ select as_role('orchestration_app', 'update orchestration.task_run set status = ''QUEUED'' where status = ''SUCCESS''') $$, 'OR301', 'cannot become QUEUED', 'with our codes');
select refuses($$ select as_role('orchestration_app', 'update orchestration.graph_run set status = ''SUCCESS'' where status = ''RUNNING''') $$, 'OR301', 'cannot be set to SUCCESS', 'for runs too');
-- a setting that the engine uses for itself opens nothing to the application
set local orchestration.engine = 'on';
select refuses($$ select as_role('orchestration_app', 'update orchestration.graph_run set status = ''SUCCESS'', finished_at = now() where status = ''RUNNING''') $$, 'OR\d+|42501', '.', 'the engine''s own setting opens nothing: a run is not ended by hand');
select refuses($$ select as_role('orchestration_app', 'insert into orchestration.task_run (task_id, status) select id, ''DISPATCHED'' from orchestration.task where name = ''a''') $$, 'OR\d+|42501', '.', 'nor a task run born DISPATCHED');
select refuses($$ select as_role('orchestration_app', 'delete from orchestration.task_run where status = ''DISPATCHED''') $$, 'OR\d+|42501', '.', 'nor one in flight deleted');
set local orchestration.engine = '';
