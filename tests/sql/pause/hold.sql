-- SPEC 4.4: pause a graph: events keep joining and opening runs, dispatches stay QUEUED, retries wait.
select plan(53);

select clock('2026-11-22T03:00:00Z');
select given_acceptance(), given_graph('other', '4 -> 6 -> 7');
create function pg_temp.held(task_run bigint) returns text language sql as $$
    select concat_ws(' ', t.status, t.due_at, t.dispatched_at, t.config, t.detail) from orchestration.task_run t where t.id = task_run
$$;
create function pg_temp.pauses(graph text) returns text language sql as $$
    select string_agg(concat_ws(' ', p.paused_at at time zone 'UTC', p.paused_actor, p.resumed_at at time zone 'UTC', p.resumed_actor, case when p.skipped then 'skipped' end), ', ' order by p.id)
    from orchestration.graph_pause p where p.graph_id = tap.graph_id(graph)
$$;

-- refusals and what is nothing
select refuses($$ select pause_graph('nope') $$, 'OR401', 'graph "nope"', 'an unknown graph');
select refuses($$ select resume_graph('nope') $$, 'OR401', 'graph "nope"', 'resumed');
select refuses($$ select pause_graph(null) $$, 'OR401', 'graph null', 'none');
select lives_ok($$ select resume_graph('integration') $$, 'resuming what is not paused: nothing');
select lives_ok($$ select resume_graph('integration', skip => true) $$, 'nor with skip');
select is(pg_temp.pauses('integration'), null, 'no trace');

-- paused with runs under way
select say('1', 'SUCCESS', 'old');
set local orchestration.actor = 'ann';
select pause_graph('integration');
select is((select paused from graph where name = 'integration'), true, 'paused');
select is(pg_temp.pauses('integration'), '2026-11-22 03:00:00 ann', 'since when and by whom');
select is((select paused_by from graph_pause), session_user::text, 'and by which role');
select clock('2026-11-22T04:00:00Z');
select pause_graph('integration');
update graph set paused = true where name = 'integration';
select is(pg_temp.pauses('integration'), '2026-11-22 03:00:00 ann', 'paused again: nothing');
select is(pictures('integration'), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited', 'what its tools have stays with them');
select finish(run('integration'), '2');
select is(picture(run('integration')), 'RUNNING | 1 SUCCESS | 2 SUCCESS | 3 - | 4 DISPATCHED | 5 awaited', 'and ends');
select say('5', 'SUCCESS', 'old');
select is(picture(run('integration')), 'RUNNING | 1 SUCCESS | 2 SUCCESS | 3 QUEUED | 4 DISPATCHED | 5 SUCCESS', 'an event joins; what it starts is held');
select is(pg_temp.held(at(run('integration'), '3')), 'QUEUED infinity held: the graph is paused', 'without dispatch, config or time-out');
select is(dispatched('3'), 0::bigint, 'nothing is sent');
select is(history(at(run('integration'), '3')), '- > QUEUED', 'history');
select say('1', 'SUCCESS', 'new');
select is(picture(run('integration', 2)), 'RUNNING | 1 SUCCESS | 2 QUEUED | 3 - | 4 QUEUED | 5 awaited', 'an event opens a run, held');
-- the other graph is not paused
select finish(run('integration'), '4');
select is(pictures('other'), 'RUNNING | 4 SUCCESS | 6 DISPATCHED | 7 -', 'another graph that its tasks open goes on');
select refuses($$ select launch_graph('integration') $$, 'OR408', 'graph "integration"', 'launching a paused graph is refused');
select refuses(format($$ update task_run set status = 'DISPATCHED' where id = %s $$, at(run('integration'), '3')), 'OR408', format('task run %s .*graph "integration"', at(run('integration'), '3')), 'and sending what is held');
select refuses($$ update task_run set status = 'DISPATCHED' where status = 'QUEUED' $$, 'OR408', 'graph "integration"', 'also in bulk');
select is(_dispatch(array[at(run('integration'), '3')]), 0, 'nor does the engine');
-- what is held may be ended by hand or by its tool
select say('2', 'SUCCESS', 'new');
select is(picture(run('integration', 2)), 'RUNNING | 1 SUCCESS | 2 SUCCESS | 3 - | 4 QUEUED | 5 awaited', 'an event without id finds what is held: it ends without dispatch');
update task_run set status = 'CANCELLED' where id = at(run('integration', 2), '4');
select is(picture(run('integration', 2)), 'RUNNING | 1 SUCCESS | 2 SUCCESS | 3 - | 4 CANCELLED | 5 awaited', 'cancelled by hand');
-- repeats, marks and reruns
select say('1', 'SUCCESS', 'new');
select is(pictures('integration'), E'RUNNING | 1 SUCCESS | 2 SUCCESS | 3 QUEUED | 4 SUCCESS | 5 SUCCESS\n'
    'CANCELLED | 1 SUCCESS | 2 SUCCESS | 3 SKIPPED | 4 CANCELLED | 5 SKIPPED\nRUNNING | 1 SUCCESS | 2 QUEUED | 3 - | 4 QUEUED | 5 awaited', 'a repeat takes over, held');
select rerun(run('integration', 2), array['2']);
select is((select status || ' ' || due_at from task_run where id = at(run('integration', -1), '2')), 'QUEUED infinity', 'a rerun is held');

-- retries
update task set max_attempts = 3 where name = '6';
select pause_graph('other');
select finish(run('other'), '6', 'FAILED');
select is((select status || ' ' || (due_at - _now()) from task_run where id = at(run('other'), '6')), 'QUEUED 00:01:00', 'a retry waits for its time');
select clock('2026-11-22T05:00:00Z');
select is(_dispatch(array[at(run('other'), '6')]), 0, 'when it is due while the graph is paused');
select is((select status || ' ' || due_at from task_run where id = at(run('other'), '6')), 'QUEUED infinity', 'it is held');

-- resumed
set local orchestration.actor = 'bob';
select resume_graph('other');
select is((select status || ' ' || due_at at time zone 'UTC' from task_run where id = at(run('other'), '6')), 'QUEUED 2026-11-22 05:01:00', 'its clock stood still: it still has its minute to wait');
select clock('2026-11-22T05:01:00Z');
select is(_dispatch(array[at(run('other'), '6')]), 1, 'and is sent after that');
select is((select attempt from task_run where id = at(run('other'), '6')), 2, 'the second attempt');
select is(pg_temp.pauses('other'), '2026-11-22 04:00:00 ann 2026-11-22 05:00:00 bob', 'until when and by whom');
select is((select status from task_run where id = at(run('integration'), '3')), 'QUEUED', 'the other graph is still paused');
update graph set paused = false where name = 'integration';
select is(pg_temp.pauses('integration'), '2026-11-22 03:00:00 ann 2026-11-22 05:01:00 bob', 'resumed by plain SQL');
select is((select count(*)::int from task_run where status = 'QUEUED'), 0, 'nothing is left behind');
select is((select (config, dispatched_at, due_at, detail)::text from task_run where id = at(run('integration'), '3')), '({},"2026-11-22 05:01:00+00",,)', 'with its config and the time of now');
select is(history(at(run('integration'), '3')), '- > QUEUED, QUEUED > DISPATCHED', 'history');
select is((last_event(at(run('integration'), '3'))).actor, 'bob', 'by whom');
select finish(run('integration'), '3');
select is((select status from graph_run where id = run('integration')), 'SUCCESS', 'and the runs go on');
select launch_graph('integration');
select is(picture(run('integration', -1)), 'RUNNING | 1 awaited | 2 - | 3 - | 4 - | 5 awaited', 'it can be launched again');

-- the clock of a retry over several pauses, looked at or not
update task set max_attempts = 9, retry_delay = '1 hour' where name = '6';
select clock('2026-11-22T06:00:00Z'), finish(run('other'), '6', 'FAILED');
select is((select attempt || ' ' || (due_at - _now()) from task_run where id = at(run('other'), '6')), '3 01:00:00', 'an hour to wait');
select clock('2026-11-22T06:10:00Z'), pause_graph('other'), clock('2026-11-22T06:20:00Z'), resume_graph('other');
select is((select due_at at time zone 'UTC' from task_run where id = at(run('other'), '6')), '2026-11-22 07:10:00', 'and ten minutes of pause');
select clock('2026-11-22T06:30:00Z'), pause_graph('other'), clock('2026-11-22T09:00:00Z'), _dispatch(array[at(run('other'), '6')]), resume_graph('other');
select is((select due_at at time zone 'UTC' from task_run where id = at(run('other'), '6')), '2026-11-22 09:40:00', 'forty minutes are left after the next');
select clock('2026-11-22T09:45:00Z'), pause_graph('other'), clock('2026-11-22T09:50:00Z');
update graph set paused = false where name = 'other';
select is((select attempt || ' ' || status from task_run where id = at(run('other'), '6')), '3 DISPATCHED', 'one that was due before the pause goes out with the resume');
select finish(run('other'), '6', 'FAILED'), pause_graph('other');
update task_run set status = 'CANCELLED' where id = at(run('other'), '6');
select resume_graph('other');
select is((select attempt || ' ' || status from task_run where id = at(run('other'), '6')), '4 CANCELLED', 'one cancelled in the pause stays so');

-- a task that lost its topic while it was held
select pause_graph('other');
select given_task('s', 'nifi'), given_graph('lost', 's -> t');
select pause_graph('lost'), say('s', 'SUCCESS');
set local session_replication_role = replica;
update task_card set dispatch_topic = null where task_name = 't';
set local session_replication_role = origin;
select resume_graph('lost');
select is(pictures('lost'), 'FAILED | s SUCCESS | t FAILED', 'what can no longer be sent fails');
select is(state(at(run('lost'), 't')), 'FAILED config', 'reason config');

-- born paused; deleted
insert into graph (name, paused) values ('new', true);
select is(pg_temp.pauses('new'), '2026-11-22 09:50:00 bob', 'a graph may be made paused');
select lives_ok($$ delete from graph where name = 'new' $$, 'and deleted');
select refuses($$ update graph set paused = null where name = 'other' $$, 'OR108', 'graph "other"', 'neither paused nor not');
select throws_ok(format('insert into graph_pause (graph_id, paused_at) values (%s, now())', graph_id('other')), '23505', null, 'paused once at a time');
select is((select count(*)::int from graph_pause where resumed_at is null), 1, 'one is paused now');
