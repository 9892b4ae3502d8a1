-- SPEC 4.4 and 4.9: UPDATE graph_run SET status = 'CANCELLED' cancels: it ends at once; what it had not started is SKIPPED (cancelled), what is
-- in flight CANCELLED unless another open run shares it; unsent dispatches are withdrawn; the tool is not told.
select plan(31);

select given_task('r', 'nifi'), given_graph('g', 'a -> b -> d', 'x -> y', '[r, a] -> c');
select launch_graph('g', run_key => 'k');
select finish(run('g'), 'a');
select tell(at(run('g'), 'b'), 'RUNNING');
select is(pictures('g'), 'RUNNING | a SUCCESS | b RUNNING | c - | d - | r awaited | x DISPATCHED | y -', 'before');
update graph_run set status = 'CANCELLED', reason = 'wrong day' where id = run('g');
select is(pictures('g'), 'CANCELLED | a SUCCESS | b CANCELLED | c SKIPPED | d SKIPPED | r SKIPPED | x CANCELLED | y SKIPPED', 'it ends at once');
select is((select (finished_at is not null, reason)::text from graph_run where id = run('g')), '(t,cancelled)', 'reason cancelled');
select matches((select concat_ws(' ', reason, detail) from task_run_event where graph_run_id = run('g') and task_run_id is null and new_status = 'CANCELLED'), 'wrong day', 'why is in the history');
select is((select (old_status, new_status, source, db_user = session_user)::text from task_run_event where graph_run_id = run('g') and task_run_id is null and new_status = 'CANCELLED'), '(RUNNING,CANCELLED,sql,t)', 'and who');
select is(state(at(run('g'), t.name)), t.state, t.name || ' is ' || t.state)
from (values ('a', 'SUCCESS'), ('b', 'CANCELLED cancelled'), ('c', 'SKIPPED cancelled'), ('d', 'SKIPPED cancelled'), ('r', 'SKIPPED cancelled'), ('x', 'CANCELLED cancelled'), ('y', 'SKIPPED cancelled')) t(name, state);
select is((select count(*)::int from dispatch where task_run_id = at(run('g'), 'x')), 0, 'the unsent dispatch is withdrawn');
select is(history(at(run('g'), 'b')), '- > DISPATCHED, DISPATCHED > RUNNING, RUNNING > CANCELLED', 'the history of what was in flight');
select refuses(format($$ update graph_run set status = 'RUNNING' where id = %s $$, run('g')), 'OR301', 'is CANCELLED and cannot be set to RUNNING', 'an ended run is not opened again');
update graph_run set status = 'CANCELLED' where id = run('g');
select is((select count(*)::int from task_run_event where graph_run_id = run('g') and task_run_id is null), 2, 'cancelling again: no effect');
-- the tool's own end comes later
select is(tell(at(run('g'), 'b'), 'SUCCESS'), at(run('g'), 'b'), 'the tool''s end of what was cancelled');
select is(state(at(run('g'), 'b')), 'CANCELLED cancelled', 'changes nothing');
select is((last_event(at(run('g'), 'b'))).reason, 'late', 'and is recorded as late');
select is((select count(*)::int from task_run where task_id in (task_id('c'), task_id('d'))), 2, 'an ended run starts nothing');
select say('r', 'SUCCESS', 'k');
select is((select count(*)::int from graph_run_task_run where graph_run_id = run('g')), 7, 'and awaits nothing');
select is(picture(run('g', 2)), 'RUNNING | a awaited | b - | c - | d - | r SUCCESS | x awaited | y -', 'a root that comes later opens its own run');

-- a task run that another open run shares goes on
select given_graph('p', 's -> t', 'u -> v');
select say('s', 'SUCCESS', 'k'); select say('u', 'SUCCESS', 'k'); select say('s', 'SUCCESS', 'k');
select is(at(run('p', 2), 'v'), at(run('p', 1), 'v'), 'v is shared by the run and its correction');
update graph_run set status = 'CANCELLED' where id = run('p', 1);
select is(picture(run('p', 1)), 'CANCELLED | s SUCCESS | t CANCELLED | u SUCCESS | v DISPATCHED', 'cancelling one leaves v in flight, for the other');
select is(picture(run('p', 2)), 'RUNNING | s SUCCESS | t DISPATCHED | u SUCCESS | v DISPATCHED', 'which goes on');
select finish(run('p', 2), 'v');
select is(picture(run('p', 2)), 'RUNNING | s SUCCESS | t DISPATCHED | u SUCCESS | v SUCCESS', 'and gets its end');
select is((select status from graph_run where id = run('p', 1)), 'CANCELLED', 'the cancelled one stays so');
update graph_run set status = 'CANCELLED' where id = run('p', 2);
select is(picture(run('p', 2)), 'CANCELLED | s SUCCESS | t CANCELLED | u SUCCESS | v SUCCESS', 'the other is cancelled too');
-- several in one statement
select launch_graph('p'), launch_graph('p'), launch_graph('p');
update graph_run set status = 'CANCELLED' where status = 'RUNNING';
select is((select count(*)::int from graph_run where status = 'RUNNING'), 0, 'all open runs in one statement');
select is((select count(*)::int from task_run where finished_at is null), 0, 'nothing is left in flight');
select is((select count(*)::int from dispatch d join task_run t on t.id = d.task_run_id where t.status = 'CANCELLED'), 0, 'nothing that was cancelled is left to send');
