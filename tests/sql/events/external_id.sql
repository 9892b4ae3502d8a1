-- SPEC 4.1 rule 2: external_id already known for that process: that execution. The first match binds it (rule 4).
select plan(20);

select given_graph('g', 'a -> b'), given_task('a2', 'airflow', 'p_a2');
select launch_graph('g', run_key => 'k1'), launch_graph('g', run_key => 'k2');

-- bound by an event that names the task run
select is(tell(at(run('g', 2), 'a'), 'RUNNING', ext => 'x2'), at(run('g', 2), 'a'), 'an event binds the id of the tool');
select is((select external_id from task_run where id = at(run('g', 2), 'a')), 'x2', 'the task run bears it');
select is(say('a', 'SUCCESS', ext => 'x2'), at(run('g', 2), 'a'), 'an event with that id alone finds it, although another run is older');
select is((last_event(at(run('g', 2), 'a'))).matched_by, 'external_id', 'history says so');
select is(pictures('g'), E'RUNNING | a DISPATCHED | b -\nRUNNING | a SUCCESS | b DISPATCHED', 'its successor starts');
-- by an event that was matched in flight
select is(say('a', 'RUNNING', 'k1', 'x1'), at(run('g', 1), 'a'), 'an event without task_run_id binds too');
select is(say('a', 'SUCCESS', 'k2', 'x1'), at(run('g', 1), 'a'), 'the id decides, whatever the run key says');
-- by ACCEPTED
select is(tell(at(run('g', 1), 'b'), 'ACCEPTED', ext => 'y1'), at(run('g', 1), 'b'), 'ACCEPTED binds');
select is(say('b', 'SUCCESS', ext => 'y1'), at(run('g', 1), 'b'), 'and its end finds it');
select is(pictures('g'), E'SUCCESS | a SUCCESS | b SUCCESS\nRUNNING | a SUCCESS | b DISPATCHED', 'the run ends');
-- after the end it is still known
select is(say('a', 'FAILED', ext => 'x1'), at(run('g', 1), 'a'), 'after its end the id still names the execution');
select is((select status from task_run where id = at(run('g', 1), 'a')), 'SUCCESS', 'of contradicting ends the first wins');
select is((last_event(at(run('g', 1), 'a'))).reason, 'late', 'the second is recorded as late');
-- ids are per process
select is(say('a2', 'SUCCESS', ext => 'x1') in (at(run('g', 1), 'a'), at(run('g', 2), 'a')), false, 'the same id of another process is another execution');
select is((select array_agg(distinct external_id) from task_run where task_id = task_id('a2')), array['x1'], 'which bears it');
-- the first binding stays
select tell(at(run('g', 2), 'b'), 'RUNNING', ext => 'z1'), tell(at(run('g', 2), 'b'), 'RUNNING', ext => 'z2');
select is((select external_id from task_run where id = at(run('g', 2), 'b')), 'z1', 'the first id stays on the row');
select is(say('b', 'SUCCESS', ext => 'z1'), at(run('g', 2), 'b'), 'and is found');
select is(letters(), 'none', 'no dead letter');

-- a task run inserted by hand (SPEC 4.9: the same event with source sql) binds as well
insert into task_run (task_id, status, run_key, external_id) values (task_id('a'), 'RUNNING', 'k3', 'h1');
select is(say('a', 'SUCCESS', ext => 'h1'), (select max(id) from task_run where task_id = task_id('a') and run_key = 'k3'), 'a task run inserted with external_id is found by it');
select is((select count(*)::int from task_run where external_id = 'h1'), 1, 'and no second one is made');
