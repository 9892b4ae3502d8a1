-- SPEC 4.6: the horizon is the least, over all partitions, of the last database instant at which the partition's end was read and all up to it
-- applied; now() where no bridge ever was; standing still while the service is stopped.
select plan(34);

create function pg_temp.minute(n numeric) returns timestamptz language sql as $$ select now() + n * interval '1 minute' $$;
create function pg_temp.at(n numeric) returns void language sql as $$ select tap.clock((now() + n * interval '1 minute')::text) $$;
create function pg_temp.horizon() returns numeric language sql as $$ select round(extract(epoch from s.horizon - now()) / 60, 2) from orchestration.service_status() s $$;
create function pg_temp.store(part integer, next bigint) returns void language sql as $$ update orchestration.kafka_offset set next_offset = next where partition = part and topic = 'etl_finished_tasks' $$;
create function pg_temp.note() returns text language sql as $$ select s.horizon_note from orchestration.service_status() s $$;

-- no bridge ever
select pg_temp.at(1);
select is(pg_temp.horizon(), 1.00, 'no bridge ever was: now');
select is(pg_temp.note(), null, 'which moves');
select stop_service();
select pg_temp.at(2);
select is(pg_temp.horizon(), 1.00, 'stopped: it stands still at the stop');
select is(pg_temp.note(), 'the service is stopped', 'and says why');
select start_service();
select is(pg_temp.horizon(), 2.00, 'started: now again');

-- a bridge that never read
create temp table early as select register_bridge('early', 7, '0') as id;
select is(pg_temp.horizon(), null, 'a bridge was here and read nothing: not known');
select is(pg_temp.note(), 'a bridge was here and never read topic etl_finished_tasks', 'and says why');
select retire_bridge((select id from early));
select is(pg_temp.horizon(), null, 'also after it went');

-- partitions
create temp table bridge as select given_topic(2) as id;
select is(pg_temp.horizon(), null, 'claimed, not read to the end');
select is((heartbeat((select id from bridge), array[0, 1], array[null, null]::bigint[])).at, pg_temp.minute(2), 'the heartbeat answers the database''s clock');
select pg_temp.at(3);
select pg_temp.store(0, 10), pg_temp.store(1, 20);
select heartbeat((select id from bridge), array[0, 1], array[0, 0]::bigint[], array[10, 21]::bigint[], pg_temp.minute(2));
select is(pg_temp.horizon(), null, 'one is not applied to its end, whatever the bridge says of its lag');
select matches(pg_temp.note(), '^partition 1 .* never read to its end: bridge [0-9]+ cannot tell where it ends$', 'and is named');
select pg_temp.store(1, 21);
select pg_temp.at(4);
select heartbeat((select id from bridge), array[0, 1], array[0, 0]::bigint[], array[10, 21]::bigint[], pg_temp.minute(3));
select is(pg_temp.horizon(), 3.00, 'the instant before the ends were asked for, not the one at which they are told');
select pg_temp.at(5);
select heartbeat((select id from bridge), array[0, 1], array[0, 7]::bigint[], array[10, 28]::bigint[], pg_temp.minute(4));
select is(pg_temp.horizon(), 3.00, 'one is behind: the least counts');
select matches(pg_temp.note(), '^partition 1 .* last read to its end at .*Z: bridge [0-9]+ is 7 messages behind$', 'and is named with its backlog');
select pg_temp.store(1, 28);
select heartbeat((select id from bridge), array[0, 1], array[0, 0]::bigint[], array[10, 28]::bigint[], pg_temp.minute(5));
select is(pg_temp.horizon(), 5.00, 'an idle partition advances too');
select is(pg_temp.note(), null, 'it moves');
select is((select horizon_age from service_status()), interval '0', 'and is young');
select heartbeat((select id from bridge), array[0, 1], array[0, 0]::bigint[], array[10, 28]::bigint[], pg_temp.minute(4));
select is(pg_temp.horizon(), 5.00, 'it never goes back');
select heartbeat((select id from bridge), array[0, 1], array[0, 0]::bigint[], array[10, 28]::bigint[], pg_temp.minute(99));
select is(pg_temp.horizon(), 5.00, 'nor into the future');
select pg_temp.at(6);
select heartbeat((select id from bridge), array[0, 1], array[0, 0]::bigint[], array[10, null]::bigint[], pg_temp.minute(6));
select heartbeat((select id from bridge), array[0, 1], array[0, 0]::bigint[], array[10, 28]::bigint[]);
select is(pg_temp.horizon(), 5.00, 'an end or an instant that is not known says nothing');

-- who does not hold it
create temp table other as select register_bridge('other', 2, '0') as id;
select heartbeat((select id from other), array[0, 1], array[0, 0]::bigint[], array[0, 0]::bigint[], pg_temp.minute(6));
select is(pg_temp.horizon(), 5.00, 'who does not hold a partition says nothing about it');
select is(count(*)::int, 1, 'another claims partition 1') from claim_partitions((select id from other), 'etl_finished_tasks', 'cluster', 'topic-id', array[1]);
select heartbeat((select id from bridge), array[0, 1], array[0, 0]::bigint[], array[10, 28]::bigint[], pg_temp.minute(6));
select is((select string_agg(extract(epoch from read_to_end_at - now())::int / 60 || '', ' ' order by partition) from kafka_offset), '6 5', 'and who lost it neither');
select retire_bridge((select id from other));
select pg_temp.at(8);
select is(pg_temp.horizon(), 5.00, 'a partition nobody holds stands still');
select matches(pg_temp.note(), '^partition 1 .*: no living bridge holds it$', 'and is named');
select count(*) from claim_partitions((select id from bridge), 'etl_finished_tasks', 'cluster', 'topic-id', array[0, 1]);

-- stopped
select stop_service();
select heartbeat((select id from bridge), array[0, 1], array[0, 0]::bigint[], array[10, 28]::bigint[], pg_temp.minute(8));
select is(pg_temp.horizon(), 5.00, 'stopped: it stands still, also where all is read');
select start_service();
select heartbeat((select id from bridge), array[0, 1], array[0, 0]::bigint[], array[10, 28]::bigint[], pg_temp.minute(8));
select is(pg_temp.horizon(), 8.00, 'started: it goes on');

-- partitions that come and go
select heartbeat((select id from bridge), array[0, 1], array[0, 0]::bigint[], array[10, 28]::bigint[], pg_temp.minute(8), array[0, 1, 2]);
select is((select next_offset from kafka_offset where partition = 2), 0::bigint, 'a partition added to the topic is read from its beginning');
select is(pg_temp.horizon(), null, 'and counts from its first sight, before anybody holds it');
select seed_offsets('etl_finished_tasks', 'cluster', 'topic-id', array[1], array[28]::bigint[]);
select is((select count(*)::int from kafka_offset), 3, 'an offset that was gone: the other partitions stay');
select seed_offsets('etl_finished_tasks', 'cluster', 'new-topic', array[0, 1], array[0, 0]::bigint[]);
select is((select array_agg(partition order by partition) from kafka_offset), array[0, 1], 'a re-created topic: what it does not have is forgotten');
select is(pg_temp.horizon(), null, 'and nothing of it is read');
select seed_offsets('foreign', 'cluster', 'topic-id', array[0], array[0]::bigint[]), heartbeat((select id from bridge), '{}', '{}', known => array[0, 1]);
select is((select count(*)::int from kafka_offset where topic = 'etl_finished_tasks'), 2, 'other topics do not count');
