-- SPEC 4.8: the desired state lives in the database; SQL changes are still applied while stopped; state, lag, instances are visible in SQL.
select plan(24);

select given_graph('g', 'a -> b');
select is((select state from service_status()), 'started', 'a new installation is started');
select is((select instances from service_status()), '[]', 'without bridges');
select is((select (lag, unsent, oldest_unsent_at, dead_letters, in_flight)::text from service_status()), '(,0,,0,0)', 'and without work');
set local orchestration.actor = 'alice';
select clock((now() + interval '5 minutes')::text);
select stop_service();
select is((select (state, actor, changed_at = now() + interval '5 minutes')::text from service_status()), '(stopped,alice,t)', 'stopped: by whom and when');
select lives_ok('select stop_service()', 'stopping what is stopped is fine');
-- still applied
select launch_graph('g', run_key => 'k');
select tell(at(run('g'), 'a'), 'SUCCESS');
update task_run set status = 'SUCCESS' where id = at(run('g'), 'b');
select is(pictures('g'), 'SUCCESS | a SUCCESS | b SUCCESS', 'SQL and reports are applied while stopped');
select say('a', 'SUCCESS', 'l');
select is(picture(run('g', 2)), 'RUNNING | a SUCCESS | b DISPATCHED', 'and wait to be sent');
select is((select (unsent >= 1, in_flight)::text from service_status()), '(t,1)', 'what waits is visible');
select isnt((select oldest_unsent_at from service_status()), null, 'and since when');
select report('{}');
select is((select dead_letters from service_status()), 1::bigint, 'dead letters are counted');
update dead_letter set replayed_at = now();
select is((select dead_letters from service_status()), 0::bigint, 'open ones');
set local orchestration.actor = 'bob';
select start_service();
select is((select (state, actor)::text from service_status()), '(started,bob)', 'started, by whom');
-- bridges, lag, horizon
create temp table bridge as select given_topic(3) as id;
select is((select jsonb_path_query_array(instances, '$[*].id') = jsonb_build_array(bridge.id) from service_status(), bridge), true, 'a living bridge is shown');
select is((select instances -> 0 -> 'partitions' from service_status()), '[0, 1, 2]', 'with its partitions');
select is((select instances -> 0 ->> 'host' from service_status()), 'host', 'and where it is');
select clock((now() + interval '6 minutes')::text);
select heartbeat((select id from bridge), array[0, 1, 2], array[0, 5, null]::bigint[]);
select is((select lag from service_status()), 5::bigint, 'the lag is the sum');
select clock((now() + interval '8 minutes')::text);
select heartbeat((select id from bridge), array[0, 1, 2], array[0, 0, 0]::bigint[]);
select is((select (instances -> 0 ->> 'heartbeat_at')::timestamptz from service_status()), now() + interval '8 minutes', 'the heartbeat is shown');
select matches(instances -> 0 ->> 'heartbeat_at', 'Z$', 'its instants are UTC with Z') from service_status();
create temp table other as select register_bridge('other', 2, '0') as id;
select heartbeat((select id from other), array[0], array[99]::bigint[]);
select is((select lag from service_status()), 0::bigint, 'who does not hold a partition says nothing about it');
select is((select jsonb_array_length(instances) from service_status()), 2, 'two bridges');
select retire_bridge((select id from other));
select retire_bridge((select id from bridge));
select is((select instances from service_status()), '[]', 'a bridge that ended is not');
-- one row
select refuses($$ insert into service_state (desired, only_row) values ('started', false) $$, '23514', 'service_state_is_one_row', 'the state is one row');
select refuses($$ update service_state set desired = 'paused' $$, '23514', 'service_state_desired_is_known', 'of two words');
select is((select count(*)::int from service_state), 1, 'as it was');
