-- SPEC 4.6: a graph run past its own timeout ends FAILED as a cancel does, naming what it waited for.
select plan(30);

select is(tap.reap(), 'nothing', 'no graph has a time-out');
select given_task('r', 'nifi'), given_graph('g', 'a -> b', '[b, r] -> c'), given_graph('h', 'x -> y');
update graph set timeout = '1 hour' where name = 'g';
update graph set timeout = null where name = 'h';
select minute(0);
select launch_graph('g', run_key => 'k'), launch_graph('h');
select deliver();
select minute(59);
select is(tap.reap(), 'nothing', 'within its time');
select is((select count(*)::int from watched_run), 0, 'nothing has to be watched: that costs the way of an event nothing');
select minute(60);
select is(tap.reap(), 'graph_timeouts 1', 'past it');
select is(pictures('g'), 'FAILED | a CANCELLED | b SKIPPED | c SKIPPED | r SKIPPED', 'it ends as by a cancel, but FAILED');
select is((select reason || ': ' || detail from graph_run where id = run('g')), 'timeout: open for longer than 01:00:00; waited for a (DISPATCHED), r (awaited)', 'it names what it waited for');
select is((select array_agg(distinct reason) from task_run where graph_run_id = run('g')), array['timeout'], 'so do its task runs');
select is((select e.source || ' ' || e.new_status || ' ' || e.reason from task_run_event e where e.graph_run_id = run('g') and e.task_run_id is null order by e.id desc limit 1), 'reaper FAILED timeout', 'and history');
select is((select count(*)::int from awaited_root), 0, 'it awaits nothing any more');
select is(tap.reap(), 'nothing', 'once');
select is(pictures('h'), 'RUNNING | x DISPATCHED | y -', 'a graph without time-out waits on');

-- an edit
update graph set timeout = '2 hours' where name = 'h';
select is(tap.reap(), 'nothing', 'a time-out given later');
select minute(120);
select is(tap.reap(), 'graph_timeouts 1', 'counts from the start of the run');
select launch_graph('g', run_key => 'l'), launch_graph('g', run_key => 'm');
select deliver();
select minute(179);
update graph set timeout = '3 hours' where name = 'g';
select minute(190);
select is(tap.reap(), 'nothing', 'a longer one counts at once');
update graph set timeout = '10 minutes' where name = 'g';
select is(tap.reap(), 'graph_timeouts 2', 'and so does a shorter one');

-- ended in time
select launch_graph('g', run_key => 'n');
select deliver();
select minute(199);
select finish_all('g'), say('r', 'SUCCESS', 'n'), finish_all('g');
select is(picture(run('g', -1)), 'SUCCESS | a SUCCESS | b SUCCESS | c SUCCESS | r SUCCESS', 'a run that ends in time');
select minute(300);
select is(tap.reap(), 'nothing', 'is left alone');
select is((select count(*)::int from watched_run), 0, 'and not watched');

-- the order of instants: its task first, then the run; and the other way round
update graph set timeout = '1 hour' where name = 'h';
update task set timeout = '30 minutes' where name in ('x', 'a');
select launch_graph('h', run_key => 'a');
select deliver();
select minute(400);
select is(tap.reap(), 'timeouts 1', 'the task''s deadline was the earlier: it is failed, and with it the run');
select is((select picture(id) || ' ' || coalesce(reason, '-') from graph_run where id = run('h', -1)), 'FAILED | x FAILED | y SKIPPED -', 'by its task');
select launch_graph('g', run_key => 'o');
select deliver();
select minute(500);
select is(tap.reap(), 'graph_timeouts 1', 'the run''s deadline was the earlier');
select is(picture(run('g', -1)), 'FAILED | a CANCELLED | b SKIPPED | c SKIPPED | r SKIPPED', 'its task is cancelled, not failed');
update task set timeout = null;

-- shared with an open run of another graph
select given_graph('i', 'b -> z');
select launch_graph('g', run_key => 'p');
select deliver();
select finish(run('g', -1), 'a');
update graph set timeout = '1 minute' where name = 'g';
select say('r', 'SUCCESS', 'p');
select minute(502);
select is(tap.reap(), 'graph_timeouts 1', 'a run is past its time');
select is(state(at(run('g', -1), 'b')), 'CANCELLED timeout', 'what only it waits for is cancelled');

-- the horizon and the stop
update graph set timeout = '1 hour';
create temp table bridge as select given_topic(1) as id;
select launch_graph('g', run_key => 'q');
select minute(600);
select is(tap.reap(), 'nothing', 'the horizon is not known');
select heartbeat((select id from bridge), array[0], array[0]::bigint[], array[0]::bigint[], now() + interval '561.9 minutes');
select is(tap.reap(), 'nothing', 'nor past its deadline');
select stop_service();
select is(tap.reap(), 'stopped', 'stopped: nothing is failed');
select start_service();
select heartbeat((select id from bridge), array[0], array[0]::bigint[], array[0]::bigint[], now() + interval '562 minutes');
select is(tap.reap(), 'graph_timeouts 1', 'it is');

-- many, and among them what ended
select launch_graph('h', run_key => n::text) from generate_series(1, 300) n;
select deliver();
update graph_run set status = 'CANCELLED' where run_key::int % 3 = 0 and graph_id = graph_id('h') and status = 'RUNNING' and run_key ~ '^[0-9]+$';
select minute(700);
select heartbeat((select id from bridge), array[0], array[0]::bigint[], array[0]::bigint[], now() + interval '700 minutes');
create temp table done as select sum((r).graph_timeouts) as n from (select reap_stale_runs() as r from generate_series(1, 20)) x;
select is((select n::int from done), 200, 'all of many, in pieces');
select is((select count(*)::int from graph_run where status = 'RUNNING'), 0, 'none is left');
