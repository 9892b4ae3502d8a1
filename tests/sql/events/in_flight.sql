-- SPEC 4.1 rule 4: an execution of that task in flight that bears no other external_id: the oldest with the same run key (or both without);
-- else, whatever the keys, the only one; several: dead letter `ambiguous`. So a tool that cannot echo ids still works.
select plan(25);

select given_graph('g', 'a -> b');
select launch_graph('g', run_key => 'k1'), launch_graph('g', run_key => 'k2'), launch_graph('g', run_key => 'k2'), launch_graph('g');

select is(say('a', 'RUNNING', 'k2'), at(run('g', 2), 'a'), 'the oldest with the same key');
select is((last_event(at(run('g', 2), 'a'))).matched_by, 'in_flight', 'history says by what');
select is(say('a', 'SUCCESS', 'k2'), at(run('g', 2), 'a'), 'RUNNING is in flight still');
select is(say('a', 'SUCCESS', 'k2'), at(run('g', 3), 'a'), 'then the next');
select is(say('a', 'SUCCESS'), at(run('g', 4), 'a'), 'without key: the one without');
select is(pictures('g'), E'RUNNING | a DISPATCHED | b -\nRUNNING | a SUCCESS | b DISPATCHED\nRUNNING | a SUCCESS | b DISPATCHED\nRUNNING | a SUCCESS | b DISPATCHED', 'three went on');
select is(say('a', 'SUCCESS', 'k9'), at(run('g', 1), 'a'), 'whatever the key: the only one left');
-- four b in flight: k1, k2, k2, none
select is(say('b', 'SUCCESS', 'k9'), null, 'several, none of that key');
select is(letters(), 'ambiguous', 'are ambiguous');
select matches(letter_words(), format('task b .*%s', at(run('g', 1), 'b')), 'and named');
-- the tool's own ids keep executions apart
select is(say('b', 'RUNNING', 'k2', 'e1'), at(run('g', 2), 'b'), 'the first match binds the id');
select is(say('b', 'SUCCESS', 'k2', 'e2'), at(run('g', 3), 'b'), 'another id is another execution: the next that bears none');
select is((select external_id from task_run where id = at(run('g', 3), 'b')), 'e2', 'bound');
select is(say('b', 'SUCCESS', 'k2', 'e1'), at(run('g', 2), 'b'), 'the first one is found by its id');
select is(pictures('g'), E'RUNNING | a SUCCESS | b DISPATCHED\nSUCCESS | a SUCCESS | b SUCCESS\nSUCCESS | a SUCCESS | b SUCCESS\nRUNNING | a SUCCESS | b DISPATCHED', 'two ended');

-- an execution that bears another id is none to match
select say('b', 'RUNNING', 'k1', 'f1');
select is(say('b', 'RUNNING', null, 'f2'), at(run('g', 4), 'b'), 'f2 goes to the one without id');
select isnt(say('b', 'SUCCESS', 'k1', 'f3'), at(run('g', 1), 'b'), 'f3 is neither of them');
select is((select status from task_run where id = at(run('g', 1), 'b')), 'RUNNING', 'which goes on');

-- QUEUED comes after those that were sent, and ends without dispatch
select given_graph('q', 'c -> d');
select launch_graph('q', run_key => 'k');
insert into task_run (task_id, run_key) values (task_id('c'), 'k');
set local session_replication_role = replica;
update task_run set status = 'QUEUED', dispatched_at = null where id = at(run('q'), 'c');
delete from dispatch where task_run_id = at(run('q'), 'c');
set local session_replication_role = origin;
select isnt(say('c', 'SUCCESS', 'k'), at(run('q'), 'c'), 'the dispatched one first, although the queued one is older');
select is((select status from task_run where id = at(run('q'), 'c')), 'QUEUED', 'which waits');
select is(say('c', 'SUCCESS', 'k'), at(run('q'), 'c'), 'then the queued one');
select is((select status || coalesce(dispatched_at::text, ' unsent') from task_run where id = at(run('q'), 'c')), 'SUCCESS unsent', 'which ends without dispatch');
select is((select count(*)::int from dispatch where task_run_id = at(run('q'), 'c')), 0, 'nothing is sent for it');
select is(pictures('q'), 'RUNNING | c SUCCESS | d DISPATCHED', 'its run goes on');
select is(letters(), 'ambiguous', 'no other dead letter');
