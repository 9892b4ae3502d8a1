-- SPEC 5, out: at least once. take, confirm, release; bridges that end or fall silent give their dispatches back; none while stopped.
select plan(35);

select given_graph('g', 'a -> b');
create temp table bridge as select register_bridge('one', 1, '0.1') as one, register_bridge('two', 2, '0.1') as two;
create function pg_temp.take(bridge bigint, n integer) returns bigint[] language sql as $$ select coalesce(array_agg(d.task_run_id order by d.task_run_id), '{}') from orchestration.take_dispatches(bridge, n) d $$;
select is(pg_temp.take((select one from bridge), 10), '{}'::bigint[], 'nothing to send');
select launch_graph('g') from generate_series(1, 5);
create temp table run as select row_number() over (order by id) as n, id from task_run;
select is(pg_temp.take((select one from bridge), 2), (select array_agg(id order by n) from run where n <= 2), 'the oldest first, as many as asked for');
select is(pg_temp.take((select two from bridge), 10), (select array_agg(id order by n) from run where n > 2), 'each is taken once');
select is(pg_temp.take((select one from bridge), 10), '{}'::bigint[], 'until none is left');
select is((select count(*)::int from dispatch), 5, 'taken is not sent: they stand in the outbox');
select confirm_dispatches((select one from bridge), array[(select id from run where n = 1)]);
select is((select count(*)::int from dispatch), 4, 'confirmed: out of it');
select confirm_dispatches((select one from bridge), array[(select id from run where n = 1)]);
select is((select count(*)::int from dispatch), 4, 'confirmed again: nothing');
select release_dispatches((select one from bridge), (select array_agg(id) from run));
select is((select array_agg(d.task_run_id) from dispatch d where d.bridge_id is null), array[(select id from run where n = 2)], 'released: one''s own only');
select is(pg_temp.take((select two from bridge), 10), array[(select id from run where n = 2)], 'anybody may take it again');
select retire_bridge((select two from bridge));
select is((select count(*)::int from dispatch where bridge_id is null), 4, 'a bridge that retires gives its dispatches back');
select is((select (state, retired_at is not null)::text from bridge_instance where id = (select two from bridge)), '(retired,t)', 'and is out');
select is(cardinality(pg_temp.take((select one from bridge), 10)), 4, 'another goes on');

-- delivery later than the dispatch is noted: time-outs count from it
select is((select delivered_at from task_run where id = (select id from run where n = 1)), null, 'confirmed at once: not noted');
select clock((now() + interval '1 minute')::text);
select confirm_dispatches((select one from bridge), array[(select id from run where n = 2)]);
select is((select delivered_at from task_run where id = (select id from run where n = 2)), now() + interval '1 minute', 'a minute later: noted');

-- heartbeats: silence
select clock(now()::text);
create temp table silent as select register_bridge('silent', 3, '0.1') as id;
select release_dispatches((select one from bridge), (select array_agg(id) from run));
select is(cardinality(pg_temp.take((select id from silent), 10)), 3, 'a bridge that holds dispatches');
select is((heartbeat((select id from silent), '{}', '{}')).state, 'started', 'answers the desired state');
select clock((now() + interval '9 seconds')::text);
select heartbeat((select one from bridge), '{}', '{}');
select is((select count(*)::int from dispatch where bridge_id = (select id from silent)), 3, 'silent for 9 s: it keeps them');
select clock((now() + interval '11 seconds')::text);
select heartbeat((select one from bridge), '{}', '{}');
select is((select count(*)::int from dispatch where bridge_id is null), 3, 'silent for 11 s: another''s heartbeat frees them');
select is((select state from bridge_instance where id = (select id from silent)), 'silent', 'and shows it');
select refuses(format($$ select heartbeat(%s, '{}', '{}') $$, (select id from silent)), 'OR712', format('bridge %s', (select id from silent)), 'should it wake up, it has to register anew');
select is((select retired_at from bridge_instance where id = (select one from bridge)), null, 'who beats lives');
update setting set value = '1 minute' where name = 'bridge_silence';
create temp table other as select register_bridge('other', 4, '0.1') as id;
select clock((now() + interval '60 seconds')::text);
select heartbeat((select one from bridge), '{}', '{}');
select is((select retired_at from bridge_instance where id = (select id from other)), null, 'the silence is a setting');
select refuses($$ select heartbeat(-1, '{}', '{}') $$, 'OR712', 'bridge -1', 'an unknown bridge has no heart');

-- stopped: none is taken
select is(cardinality(pg_temp.take((select one from bridge), 1)), 1, 'one is taken');
select stop_service();
select is(pg_temp.take((select one from bridge), 10), '{}'::bigint[], 'stopped: none');
select is((heartbeat((select one from bridge), '{}', '{}')).state, 'stopped', 'the heartbeat says so');
select lives_ok(format($$ select confirm_dispatches(%s, array(select task_run_id from dispatch where bridge_id = %s)) $$, (select one from bridge), (select one from bridge)), 'what is in flight is confirmed');
select is((select count(*)::int from dispatch where bridge_id is not null), 0, 'and leaves');
select launch_graph('g');
select is((select count(*)::int from dispatch), 3, 'what SQL does meanwhile waits to be sent');
select start_service();
select is(cardinality(pg_temp.take((select one from bridge), 10)), 3, 'started: it goes out');

-- a task run that ended before its dispatch was sent
select launch_graph('g');
update task_run set status = 'CANCELLED' where task_id = task_id('a') and id = (select max(id) from task_run where task_id = task_id('a'));
select is(pg_temp.take((select one from bridge), 10), '{}'::bigint[], 'cancelled before it was sent: withdrawn');
select launch_graph('g');
select is(cardinality(pg_temp.take((select one from bridge), 10)), 1, 'one that a bridge holds already');
update task_run set status = 'CANCELLED' where id = (select max(id) from task_run where task_id = task_id('a'));
select lives_ok(format($$ select confirm_dispatches(%s, array[(select max(id) from task_run where task_id = task_id('a'))]) $$, (select one from bridge)), 'is confirmed as any');
select is((select count(*)::int from dispatch where task_run_id = (select max(id) from task_run where task_id = task_id('a'))), 0, 'and leaves');
select release_dispatches((select one from bridge), '{}'), confirm_dispatches((select one from bridge), '{}');
select is((select count(*)::int from dispatch), 3, 'empty lists do nothing');
