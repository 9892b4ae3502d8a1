-- SPEC 4.1 rule 4, last sentence: a service with echoes_ids skips it: its event without task_run_id is its own work, or a known external_id.
select plan(9);

select given_service('echo', 'echo_tasks', true);
select given_task('a', 'echo'), given_task('b', 'echo'), given_graph('g', 'a -> b');
select launch_graph('g');
select isnt(say('a', 'SUCCESS'), at(run('g', 1), 'a'), 'an event without task_run_id is not for the execution in flight');
select is(pictures('g'), E'RUNNING | a DISPATCHED | b -\nRUNNING | a SUCCESS | b DISPATCHED', 'but work of its own');
select is((last_event(at(run('g', 2), 'a'))).matched_by, 'started', 'history says so');
select is(say('b', 'SUCCESS'), null, 'a task that is nowhere a root, without external_id');
select is(letters(), 'unexpected', 'is unexpected, though executions of it are in flight');
select is(tell(at(run('g', 1), 'a'), 'RUNNING', ext => 'x'), at(run('g', 1), 'a'), 'with task_run_id it is the execution');
select is(say('a', 'SUCCESS', ext => 'x'), at(run('g', 1), 'a'), 'a known external_id is followed (rule 2)');
select is(tell(at(run('g', 2), 'b'), 'SUCCESS'), at(run('g', 2), 'b'), 'and the successor by its id');
select is(pictures('g'), E'RUNNING | a SUCCESS | b DISPATCHED\nSUCCESS | a SUCCESS | b SUCCESS', 'in the end');
