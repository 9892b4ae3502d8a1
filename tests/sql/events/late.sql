-- SPEC 4.1 rule 5: an execution of that task and key that we ended and whose tool has not reported an end: late; recorded, nothing else.
select plan(22);

select given_graph('g', 'a -> b');
select launch_graph('g', run_key => 'k');
update task_run set status = 'CANCELLED' where id = at(run('g'), 'a');
select is(pictures('g'), 'CANCELLED | a CANCELLED | b SKIPPED', 'cancelled while the tool had it');
select is(say('a', 'RUNNING', 'k'), at(run('g'), 'a'), 'the tool reports RUNNING: late');
select is((select e.reason || ' ' || e.matched_by from last_event(at(run('g'), 'a')) e), 'late ended', 'recorded as such, and how it was matched');
select is(say('a', 'SUCCESS', 'k'), at(run('g'), 'a'), 'its end is late as well: RUNNING was no end');
select is((last_event(at(run('g'), 'a'))).reason, 'late', 'recorded');
select is(pictures('g'), 'CANCELLED | a CANCELLED | b SKIPPED', 'nothing else');
select isnt(say('a', 'SUCCESS', 'k'), at(run('g'), 'a'), 'the tool is done with it: the next is new work');
select is(pictures('g'), E'CANCELLED | a CANCELLED | b SKIPPED\nRUNNING | a SUCCESS | b DISPATCHED', 'in a run of its own');

-- marked while in flight
update task_run set status = 'SUCCESS' where id = at(run('g', 2), 'b');
select is(say('b', 'SUCCESS', 'k'), at(run('g', 2), 'b'), 'a task run marked by hand: the tool''s end is late');
select is(letters(), 'none', 'and no dead letter, though b is a root nowhere');
select is(say('b', 'SUCCESS', 'k'), null, 'but only once');
select is(letters(), 'unexpected', 'what follows is unexpected');
-- another key is another execution
select launch_graph('g', run_key => 'k5');
update task_run set status = 'FAILED' where id = at(run('g', 3), 'a');
select isnt(say('a', 'SUCCESS', 'k6'), at(run('g', 3), 'a'), 'another key: new work');
select is(say('a', 'SUCCESS', 'k5'), at(run('g', 3), 'a'), 'the same key: late');
-- what was never sent is not owed
select given_graph('h', 'c -> d');
insert into task_run (task_id, status) values (task_id('c'), 'SUCCESS');
select isnt(say('c', 'SUCCESS'), at(run('h', 1), 'c'), 'work the tool ended itself is not owed');
-- by task_run_id or external_id any event for an ended one is late
select is(tell(at(run('h', 1), 'd'), 'SUCCESS', ext => 'x'), at(run('h', 1), 'd'), 'an end');
select is(tell(at(run('h', 1), 'd'), 'RUNNING'), at(run('h', 1), 'd'), 'RUNNING after the end, by task_run_id');
select is(say('d', 'FAILED', ext => 'x'), at(run('h', 1), 'd'), 'a contradicting end, by external_id');
select is(tell(at(run('h', 1), 'd'), 'ACCEPTED'), at(run('h', 1), 'd'), 'ACCEPTED after the end');
select is((select array_agg(concat_ws(' ', reason, matched_by) order by id) from (select * from task_run_event where task_run_id = at(run('h', 1), 'd') order by id desc limit 3) x),
          array['late task_run_id', 'late external_id', 'late task_run_id'], 'all recorded as late');
select is((select status from task_run where id = at(run('h', 1), 'd')), 'SUCCESS', 'and nothing else');
select is((select count(*)::int from task_run_event where task_run_id = at(run('h', 1), 'd') and new_status is distinct from old_status and old_status is not null), 1, 'one transition in all');
