-- SPEC 5: no operator is needed after an outage, however long: the record takes rows at any time, though partitions are made ahead by living
-- bridges only.
select plan(7);

select given_graph('g', 'a -> b');
select cmp_ok((select count(*)::int from pg_inherits where inhparent = 'event_seen'::regclass), '>=', 13, 'a quarter of event ids ahead');
select clock((now() + interval '5 months')::text);
select lives_ok($$ select say('a', 'SUCCESS', 'k', event_id => 'e1') $$, 'nobody made partitions for 5 months: an event with event_id is taken in');
select is((select count(*)::int from graph_run where run_key = 'k'), 1, 'and applied');
select clock((now() + interval '14 months')::text);
select lives_ok($$ select say('a', 'SUCCESS', 'l') $$, 'for 14 months: history is written');
select lives_ok($$ select launch_graph('g') $$, 'a run is launched');
select lives_ok($$ select heartbeat(register_bridge('h', 1, '0'), '{}', '{}') $$, 'a bridge lives');
select lives_ok($$ update task_run set status = 'SUCCESS' where status = 'DISPATCHED' $$, 'a DBA works');
