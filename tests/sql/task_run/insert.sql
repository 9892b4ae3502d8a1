-- SPEC 4.9: INSERT task_run RUNNING or ended = an event of 4.1.6 with source sql; QUEUED (default) = run that task alone, in no graph; COPY = INSERT.
select plan(49);

select given_acceptance(), given_task('free', 'nifi'), given_graph('line', '6 -> 7 -> [8, 9]');
-- ended: as an event
select lives_ok($$ insert into task_run (task_id, status, run_key, result) values (task_id('1'), 'SUCCESS', 'k', '{"rows": 1}') $$, 'a task run that succeeded');
select is(pictures('integration'), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited', 'opens a run, as the event would');
select is((select (source, matched_by, old_status, new_status, db_user = session_user)::text from last_event(at(run('integration'), '1'))), '(sql,started,,SUCCESS,t)', 'source sql');
select isnt((select finished_at from task_run where id = at(run('integration'), '1')), null, 'finished_at is set');
select is((select result from task_run where id = at(run('integration'), '1')), '{"rows": 1}', 'the result is kept');
insert into task_run (task_id, status, run_key) values (task_id('5'), 'SUCCESS', 'k');
select is(pictures('integration'), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS', 'joins the run that awaits it');
insert into task_run (task_id, status, run_key) values (task_id('1'), 'SUCCESS', 'k');
select is((select replaces_id from graph_run where id = run('integration', 2)), run('integration', 1), 'a repeat is a correction');
insert into task_run (task_id, status, run_key) values (task_id('1'), 'FAILED', 'f'), (task_id('5'), 'SKIPPED', 's');
select is(picture(run('integration', 3)), 'RUNNING | 1 FAILED | 2 SKIPPED | 3 SKIPPED | 4 SKIPPED | 5 awaited', 'FAILED');
select is(picture(run('integration', 4)), 'RUNNING | 1 awaited | 2 - | 3 SKIPPED | 4 - | 5 SKIPPED', 'SKIPPED');
insert into task_run (task_id, status, run_key) values (task_id('1'), 'SUCCESS', 'm'), (task_id('5'), 'SUCCESS', 'm'), (task_id('6'), 'SUCCESS', 'm');
select is(picture(run('integration', 5)) || E'\n' || picture(run('line')), E'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS\nRUNNING | 6 SUCCESS | 7 DISPATCHED | 8 - | 9 -', 'several rows of one statement');
-- RUNNING
insert into task_run (task_id, status, run_key) values (task_id('1'), 'RUNNING', 'r');
select is((select count(*)::int from graph_run where run_key = 'r'), 0, 'RUNNING joins no graph run yet');
select isnt((select started_at from task_run where run_key = 'r'), null, 'started_at is set');
select is(say('1', 'SUCCESS', 'r'), (select id from task_run where run_key = 'r' and task_id = task_id('1')), 'an event finds it in flight');
select is(picture(run('integration', 6)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited', 'and opens the run');
insert into task_run (task_id, status, run_key) values (task_id('1'), 'RUNNING', 'r2');
update task_run set status = 'SUCCESS' where run_key = 'r2' and task_id = task_id('1');
select is(picture(run('integration', 7)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited', 'as does an UPDATE');
-- a task in no graph
select lives_ok($$ insert into task_run (task_id, status) values (task_id('free'), 'SUCCESS'), (task_id('free'), 'RUNNING') $$, 'a task in no graph is recorded');
select is((select count(*)::int from graph_run_task_run l join task_run t on t.id = l.task_run_id where t.task_id = task_id('free')), 0, 'only');
-- a root nowhere
select refuses(format($$ insert into task_run (task_id, status) values (task_id('7'), %L) $$, s.status), 'OR303', 'task "7" is a root of no graph', 'a root nowhere, without external_id: ' || s.status)
from (values ('RUNNING'), ('SUCCESS'), ('FAILED'), ('SKIPPED')) s(status);
insert into task_run (task_id, status, external_id) values (task_id('7'), 'SUCCESS', 'e1');
select is(picture(run('line', 2)), 'RUNNING | 7 SUCCESS | 8 DISPATCHED | 9 DISPATCHED', 'with external_id: a partial run');
select is((select opened_by from graph_run where id = run('line', 2)), 'partial', 'so named');
select is(say('7', 'FAILED', ext => 'e1'), at(run('line', 2), '7'), 'the external_id is known from then on');
select given_graph('gap', 'u -> v -> w', 'x -> w');
select refuses($$ insert into task_run (task_id, status, external_id) values (task_id('v'), 'SUCCESS', 'e2') $$, 'OR\d+', 'task "?x', 'a predecessor outside that never succeeded: refused, naming it');
select is((select count(*)::int from graph_run where graph_id = graph_id('gap')), 0, 'and no run is opened');
-- QUEUED: alone
insert into task_run (task_id, run_key) values (task_id('6'), 'alone');
create temp table alone as select id from task_run where run_key = 'alone';
select is((select (t.status, t.graph_run_id, t.attempt, t.dispatched_at is not null)::text from task_run t, alone where t.id = alone.id), '(DISPATCHED,,1,t)', 'QUEUED, the default: dispatched at once');
select is((select count(*)::int from dispatch d, alone where d.task_run_id = alone.id), 1, 'once');
select is(history((select id from alone)), '- > QUEUED, QUEUED > DISPATCHED', 'history has both steps');
select is(tell((select id from alone), 'SUCCESS'), (select id from alone), 'it ends');
select is((select count(*)::int from graph_run_task_run l, alone where l.task_run_id = alone.id), 0, 'in no graph, though 6 is a root');
select refuses($$ insert into task_run (task_id) values (task_id('1')) $$, 'OR204', 'task "1": service "nifi" has no dispatch topic', 'QUEUED where nothing can be sent to');
-- COPY
copy task_run (task_id, status, run_key) from program 'true';
do $$
begin
    execute format('copy orchestration.task_run (task_id, status, run_key) from program %L', format('printf "%s\tSUCCESS\tcopied\n%s\tSUCCESS\tcopied\n"', tap.task_id('1'), tap.task_id('5')));
end
$$;
select is((select picture(id) from graph_run where run_key = 'copied'), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS', 'COPY is INSERT');
-- refusals
select refuses($$ insert into task_run (task_id, status) values (-1, 'SUCCESS') $$, 'OR107', 'task -1', 'an unknown task');
select refuses($$ insert into task_run (status) values ('SUCCESS') $$, 'OR107', 'task null', 'no task');
select refuses($$ insert into task_run (task_id, status) values (task_id('1'), 'DISPATCHED') $$, 'OR303', 'task "1".*"DISPATCHED"', 'DISPATCHED is what the engine does');
select refuses($$ insert into task_run (task_id, status) values (task_id('1'), 'DONE') $$, 'OR108', 'task "1".*"DONE"', 'an unknown status');
select refuses($$ insert into task_run (task_id, status) values (task_id('1'), null) $$, 'OR108', 'task "1".*null', 'status null');
select refuses($$ insert into task_run (task_id, status, run_key) values (task_id('1'), 'SUCCESS', '') $$, 'OR101', 'run key ""', 'an empty run key');
select refuses($$ insert into task_run (task_id, status, run_key) values (task_id('1'), 'SUCCESS', E'a\nb') $$, 'OR101', 'run key', 'a control character in the run key');
select refuses($$ insert into task_run (task_id, status, run_key) values (task_id('1'), 'SUCCESS', repeat('k', 251)) $$, 'OR101', 'run key', 'a run key of 251 characters');
select refuses($$ insert into task_run (task_id, status, attempt) values (task_id('1'), 'SUCCESS', 2) $$, 'OR303', 'task "1"', 'attempt is kept by the engine');
select refuses(format($$ insert into task_run (task_id, status, graph_run_id) values (task_id('1'), 'SUCCESS', %s) $$, run('integration')), 'OR303', 'task "1"', 'so is the home run');
select refuses($$ insert into task_run (task_id, status, result) values (task_id('1'), 'SUCCESS', '[1]') $$, 'OR\d+', 'result', 'a result that is no object, as in an event');
select refuses($$ insert into task_run (task_id, status, external_id) values (task_id('1'), 'SUCCESS', '') $$, 'OR\d+', 'external.id', 'an empty external_id, as in an event');
select refuses($$ insert into task_run (task_id, status, result) values (task_id('1'), 'SUCCESS', jsonb_build_object('a', repeat('r', 262145))) $$, 'OR\d+', 'result', 'a result over 256 KiB, as in an event');
-- what was refused left nothing; a restore disables triggers
create temp table before as select (select count(*) from graph_run) as runs, (select count(*) from task_run) as task_runs, (select count(*) from dispatch) as dispatches;
set local session_replication_role = replica;
insert into task_run (task_id, status, run_key, finished_at) values (task_id('1'), 'SUCCESS', 'restored', now());
set local session_replication_role = origin;
select is((select (count(*) - b.task_runs)::int from task_run, before b group by b.task_runs), 1, 'with triggers disabled, as in a restore, a row is a row');
select is((select (select count(*) from graph_run) - b.runs + (select count(*) from dispatch) - b.dispatches from before b), 0::bigint, 'and has no effects');
select is(letters(), 'none', 'plain SQL writes no dead letters');
