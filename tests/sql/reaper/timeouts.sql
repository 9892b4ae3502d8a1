-- SPEC 4.6: past timeout since delivery (RUNNING restarts it): FAILED, timeout; a new attempt where one is left; never beyond the horizon.
select plan(43);

select given_graph('g', 'a -> b');
update task set timeout = '10 minutes' where name = 'a';
select launch_graph('g', run_key => 'k');
select minute(20);
select is(tap.reap(), 'nothing', 'not delivered: its time has not begun');
select deliver();
select minute(29.9);
select is(tap.reap(), 'nothing', 'within its time, since delivery');
update task set timeout = '1 hour' where name = 'a';
select minute(30);
select is(tap.reap(), 'timeouts 1', 'past it, as it was at dispatch');
select is(pictures('g'), 'FAILED | a FAILED | b SKIPPED', 'it is FAILED with all that follows');
select is(state(at(run('g'), 'a')), 'FAILED timeout', 'reason timeout');
select is((select awaits_tool from task_run where id = at(run('g'), 'a')), true, 'the tool may still be at it');
select is((select (last_event(at(run('g'), 'a'))).source), 'reaper', 'source reaper');
select alike((select detail from task_run where id = at(run('g'), 'a')), 'no end within 00:10:00 of its delivery at %Z', 'in words');
select is(tap.reap(), 'nothing', 'once');
select tell(at(run('g'), 'a'), 'SUCCESS');
select is(state(at(run('g'), 'a')), 'FAILED timeout', 'its SUCCESS comes late');
select is((select (last_event(at(run('g'), 'a'))).reason), 'late', 'and is recorded');

-- RUNNING
update task set timeout = '10 minutes' where name = 'a';
select launch_graph('g', run_key => 'l');
select deliver();
select minute(39);
select tell(at(run('g', 2), 'a'), 'RUNNING');
select minute(45);
select is(tap.reap(), 'nothing', 'RUNNING starts its time anew');
select minute(48.9);
select tell(at(run('g', 2), 'a'), 'RUNNING');
select is(tap.reap(), 'nothing', 'to the minute');
select minute(49);
select is(tap.reap(), 'timeouts 1', 'past it; a repeated RUNNING changes nothing');
select alike((select detail from task_run where id = at(run('g', 2), 'a')), 'no end within 00:10:00 of RUNNING at %Z', 'in words');

-- beside acknowledgements
update task set ack_timeout = '4 minutes' where name = 'a';
select launch_graph('g', run_key => 'm');
select deliver();
select minute(53);
select is(tap.reap(), 'resends 1', 'not acknowledged: sent again');
select minute(54);
select deliver();
select minute(58);
select is(tap.reap(), 'resends 1', 'and again');
select minute(58.9);
select is(tap.reap(), 'nothing', 'its time counts from the first delivery');
select minute(59);
select is(tap.reap(), 'timeouts 1', 'also while it is being sent again');
select is(dispatched('a'), 0::bigint, 'which is withdrawn');
select launch_graph('g', run_key => 'both');
select deliver();
select minute(79);
select is(tap.reap(), 'timeouts 1', 'past both: given up, not sent again');
select launch_graph('g', run_key => 'accepted');
select deliver();
select tell(at(run('g', 5), 'a'), 'ACCEPTED');
select minute(88.9);
select is(tap.reap(), 'nothing', 'ACCEPTED ends the wait for itself');
select minute(89);
select is(tap.reap(), 'timeouts 1', 'and does not restart the time-out');
select minute(89.9);

-- attempts
update task set ack_timeout = null, max_attempts = 3, retry_delay = '1 minute' where name = 'a';
select launch_graph('g', run_key => 'n');
select deliver();
select minute(99.9);
select is(tap.reap(), 'timeouts 1', 'an attempt times out');
select is(pictures('g') ~ 'RUNNING \| a QUEUED \| b -', true, 'the next waits');
select minute(100.8);
select is(tap.reap(), 'nothing', 'for its delay');
select minute(100.9);
select is(tap.reap(), 'retries 1', 'then it is dispatched');
select is(state(at(run('g', 6), 'a')), 'DISPATCHED', 'by the reaper');
select is((last_event(at(run('g', 6), 'a'))).source, 'reaper', 'which history shows');
select is(dispatched('a'), 1::bigint, 'once');
select is((select (d.value::jsonb ->> 'attempt')::int from dispatch d), 2, 'as attempt 2');
select deliver();
select minute(110.9);
select is(tap.reap(), 'timeouts 1', 'the second times out too');
select minute(112.8);
select is(tap.reap(), 'nothing', 'the delay has doubled');
select minute(112.9);
select is(tap.reap(), 'retries 1', 'and is over');
select finish(run('g', 6), 'a');
select is(picture(run('g', 6)), 'RUNNING | a SUCCESS | b DISPATCHED', 'a success goes on');
update task set retry_delay = '0' where name = 'a';
select launch_graph('g', run_key => 'o');
select deliver();
select minute(123);
select is(tap.reap(), 'retries 1, timeouts 1', 'without delay the next attempt goes out at once');

-- alone, and work of a tool's own
update task set max_attempts = 1 where name = 'a';
update task set timeout = '10 minutes' where name = 'b';
insert into task_run (task_id) values (task_id('b'));
insert into task_run (task_id, status) values (task_id('a'), 'RUNNING');
select deliver();
select minute(132.9);
select is(tap.reap(), 'nothing', 'not yet');
select minute(133);
select is(tap.reap(), 'timeouts 2', 'a task run alone times out as well');
select is((select status from task_run where graph_run_id is null and task_id = task_id('a')), 'RUNNING', 'what a tool started by itself has no time-out');

-- the horizon
create temp table bridge as select given_topic(1) as id;
create function pg_temp.read_to(n numeric) returns void language sql as $$ select orchestration.heartbeat((select id from pg_temp.bridge), array[0], array[0]::bigint[], array[0]::bigint[], now() + n * interval '1 minute') $$;
select launch_graph('g', run_key => 'p'), launch_graph('g', run_key => 'q');
select deliver();
select minute(200);
select is(tap.reap(), 'nothing', 'nothing is failed that an unread event could save');
select pg_temp.read_to(142.9);
select is(tap.reap(), 'nothing', 'the horizon has not passed its deadline');
select feed((select id from bridge), jsonb_build_object('task_run_id', at(run('g', -2), 'a'), 'status', 'SUCCESS'));
select heartbeat((select id from bridge), array[0], array[0]::bigint[], array[1]::bigint[], now() + interval '143 minutes');
select is(tap.reap(), 'timeouts 1', 'it has, and its event is read: only the other is failed');
select is(picture(run('g', -2)) || ', ' || picture(run('g', -1)), 'RUNNING | a SUCCESS | b DISPATCHED, FAILED | a FAILED | b SKIPPED', 'the right one');
