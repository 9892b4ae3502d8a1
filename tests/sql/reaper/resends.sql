-- SPEC 4.6: not reported ACCEPTED or further within ack_timeout of delivery: the same dispatch again, at most 5 times.
select plan(27);

select given_task('a'), given_graph('g', 'a -> b');
select is(tap.reap(), 'nothing', 'nothing is there, nothing is done');
update task set ack_timeout = '5 minutes';
select launch_graph('g', run_key => 'k');
create temp table first as select d.value, at(run('g'), 'a') as id from dispatch d;
select minute(6);
select is(tap.reap(), 'nothing', 'what stands in the outbox is not delivered: its wait has not begun');
select minute(10);
select deliver();
select is((select delivered_at from task_run where id = (select id from first)), now() + interval '10 minutes', 'delivered late');
select minute(14.9);
select is(tap.reap(), 'nothing', 'within ack_timeout of delivery');
select minute(15);
select is(tap.reap(), 'resends 1', 'not acknowledged within it: sent again');
select is((select d.value::jsonb - 'created_at' from dispatch d), (select f.value::jsonb - 'created_at' from first f), 'the same dispatch');
select is((select (d.value::jsonb ->> 'created_at')::timestamptz from dispatch d), (select t.dispatched_at from first f join task_run t on t.id = f.id), 'made when it was dispatched');
select is(state((select id from first)), 'DISPATCHED', 'the same execution');
select is((select (last_event(id)).source || ' ' || (last_event(id)).reason from first), 'reaper resent', 'history says so');
select alike((select (last_event(id)).detail from first), 'not acknowledged since %Z: sent again, 1 of 5', 'in words');
select is(tap.reap(), 'nothing', 'once');
select minute(30);
select is(tap.reap(), 'nothing', 'and not while that stands in the outbox');
select deliver();
select minute(34);
select is(tap.reap(), 'nothing', 'the wait begins with its delivery');
select minute(35);
select is(tap.reap(), 'resends 1', 'a second time');
select deliver();
select is((select array_agg(r) from (select minute(36 + 5 * n), tap.reap() as r, deliver() from generate_series(1, 10) n) x),
          array['resends 1', 'resends 1', 'resends 1'] || array_fill('nothing'::text, array[7]), 'at most 5 times');
select is((select resend_count from task_run where id = (select id from first)), 5::smallint, 'five');
select is((select due_at from task_run where id = (select id from first)), null, 'then it waits for nothing: it has no time-out');

-- what ends the wait
select launch_graph('g', run_key => n::text) from generate_series(1, 4) n;
select deliver();
select tell(at(run('g', 2), 'a'), 'ACCEPTED'), tell(at(run('g', 3), 'a'), 'RUNNING'), tell(at(run('g', 4), 'a'), 'SUCCESS');
select deliver();
select minute(93);
select tell(at(run('g', 4), 'b'), 'ACCEPTED');
select is(tap.reap(), 'resends 1', 'ACCEPTED, RUNNING and an end are acknowledgements');
select is((select task_run_id from dispatch), at(run('g', 5), 'a'), 'only the silent one is sent again');
select deliver();

-- the default
update task set ack_timeout = null;
select launch_graph('g', run_key => 'silent');
select is((select due_at from task_run where id = at(run('g', -1), 'a')), null, 'a service that does not echo ids: none');
update service set echoes_ids = true;
select launch_graph('g', run_key => 'echoes');
select deliver();
select minute(98);
select is(tap.reap(), 'resends 2', 'one that echoes ids: 5 minutes');

-- the horizon, the stop, the topic
create temp table bridge as select given_topic(1) as id;
select launch_graph('g', run_key => 'unread');
select deliver();
select minute(110);
select is(tap.reap(), 'nothing', 'an acknowledgement may be unread: the horizon counts');
select heartbeat((select id from bridge), array[0], array[0]::bigint[], array[0]::bigint[], now() + interval '102 minutes');
select is(tap.reap(), 'nothing', 'not passed yet');
select stop_service();
select is(tap.reap(), 'stopped', 'stopped: nothing is sent');
select start_service();
select heartbeat((select id from bridge), array[0], array[0]::bigint[], array[0]::bigint[], now() + interval '103 minutes');
update service set dispatch_topic = 'elsewhere';
select is(tap.reap(), 'resends 3', 'passed');
select is((select array_agg(distinct topic) from dispatch), array['elsewhere'], 'to the topic of today');
select deliver();
select minute(120);
select heartbeat((select id from bridge), array[0], array[0]::bigint[], array[0]::bigint[], now() + interval '119 minutes');
alter table orchestration.service disable trigger user;
alter table orchestration.task_card disable trigger user;
update task_card set dispatch_topic = null;
select is(tap.reap(), 'nothing', 'nor where nothing can be sent any more');
