-- SPEC 4.4, 4.6: while a graph is paused its clocks stand still: retries and resends wait, time-outs leave the pause out.
select plan(17);

select given_graph('g', 'a -> b'), given_graph('h', 'x -> y');
select minute(0);

-- a time-out
update task set timeout = '10 minutes' where name in ('a', 'x');
select launch_graph('g', run_key => 'timeout'), launch_graph('h', run_key => 'not paused');
select deliver();
select minute(4);
select pause_graph('g');
select minute(60);
select is(tap.reap(), 'timeouts 1', 'past it, but the graph is paused: only the other graph''s is failed');
select is(state(at(run('h'), 'x')), 'FAILED timeout', 'which is not');
select is((select due_at from task_run where id = at(run('g'), 'a')), 'infinity'::timestamptz, 'it is put aside');
select resume_graph('g');
select is(tap.reap(), 'nothing', 'resumed: 4 minutes have gone');
select minute(62);
select pause_graph('g');
select minute(63);
select resume_graph('g');
select minute(66.9);
select is(tap.reap(), 'nothing', 'all pauses are left out');
select minute(67);
select is(tap.reap(), 'timeouts 1', 'to the minute');
update task set timeout = null;

-- a resend
update task set ack_timeout = '5 minutes' where name = 'a';
select launch_graph('g', run_key => 'resend');
select deliver();
select minute(70);
select pause_graph('g');
select minute(90);
select is(tap.reap(), 'nothing', 'paused: nothing is sent again');
select resume_graph('g');
select minute(91.9);
select is(tap.reap(), 'nothing', 'the rest of the wait');
select minute(92);
select is(tap.reap(), 'resends 1', 'then it is');
select deliver();
select tell(at(run('g', 2), 'a'), 'ACCEPTED');

-- a retry
update task set max_attempts = 2, retry_delay = '10 minutes' where name = 'a';
select launch_graph('g', run_key => 'retry');
select finish(run('g', 3), 'a', 'FAILED');
select minute(93);
select pause_graph('g');
select minute(110);
select is(tap.reap(), 'nothing', 'a retry that comes due waits');
select is(state(at(run('g', 3), 'a')), 'QUEUED', 'as it was');
select resume_graph('g');
select minute(118.9);
select is(tap.reap(), 'nothing', 'the rest of its delay');
select minute(119);
select is(tap.reap(), 'retries 1', 'then it goes out');
select deliver();

-- the run itself
update task set max_attempts = 1;
update graph_run set status = 'CANCELLED' where status = 'RUNNING';
update graph set timeout = '1 hour' where name = 'g';
select launch_graph('g', run_key => 'run');
select deliver();
select tell(at(run('g', -1), 'a'), 'ACCEPTED');
select minute(120);
select pause_graph('g');
select minute(400);
select is(tap.reap(), 'nothing', 'a run of a paused graph is past nothing');
select resume_graph('g');
select minute(458.9);
select is(tap.reap(), 'nothing', 'the pause is left out');
select minute(459);
select is(tap.reap(), 'graph_timeouts 1', 'to the minute');

-- what stands alone has no graph whose pause it would feel
update task set timeout = '10 minutes' where name = 'b';
select pause_graph('g');
insert into task_run (task_id) values (task_id('b'));
select deliver();
select minute(469);
select is(tap.reap(), 'timeouts 1', 'a task run alone goes on');
