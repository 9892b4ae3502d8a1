-- SPEC 3: ACCEPTED changes no state: it ends the wait for an acknowledgement, binds external_id, and its detail is kept for explain.
select plan(16);

select given_graph('g', 'a -> b');
select launch_graph('g', run_key => 'k');
select is(tell(at(run('g'), 'a'), 'ACCEPTED', ext => 'x', detail => 'DAG is paused'), at(run('g'), 'a'), 'by task_run_id');
select is(state(at(run('g'), 'a')), 'DISPATCHED', 'changes no state');
select isnt((select accepted_at from task_run where id = at(run('g'), 'a')), null, 'ends the wait for an acknowledgement');
select is((select detail from task_run where id = at(run('g'), 'a')), 'DAG is paused', 'its detail is kept');
select is((select (e.old_status, e.new_status, e.source, e.matched_by, e.reason, e.detail)::text from last_event(at(run('g'), 'a')) e), '(DISPATCHED,DISPATCHED,event,task_run_id,accepted,"DAG is paused")', 'history has it');
select is(say('a', 'SUCCESS', ext => 'x'), at(run('g'), 'a'), 'external_id is bound');
select is(pictures('g'), 'RUNNING | a SUCCESS | b DISPATCHED', 'and the run goes on');
-- a tool that cannot echo ids may accept as well
select is(say('b', 'ACCEPTED', 'k', 'y'), at(run('g'), 'b'), 'by the execution in flight');
select is((last_event(at(run('g'), 'b'))).matched_by, 'in_flight', 'history says by what');
select is((select external_id from task_run where id = at(run('g'), 'b')), 'y', 'bound');
select tell(at(run('g'), 'b'), 'RUNNING');
select is(tell(at(run('g'), 'b'), 'ACCEPTED', detail => 'again'), at(run('g'), 'b'), 'after RUNNING');
select is(state(at(run('g'), 'b')), 'RUNNING', 'it changes no state either');
select is(say('b', 'SUCCESS', ext => 'y'), at(run('g'), 'b'), 'found by its id');
select is(pictures('g'), 'SUCCESS | a SUCCESS | b SUCCESS', 'the end');
-- nothing to accept
select is(say('a', 'ACCEPTED', 'none'), null, 'nothing in flight');
select is(letters(), 'unexpected', 'is unexpected');
