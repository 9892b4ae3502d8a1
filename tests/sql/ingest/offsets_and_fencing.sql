-- ARCHITECTURE 3 and SPEC 5: offsets are stored with the events; a bridge that lost its partition is fenced; OR701..OR703, OR710..OR712.
select plan(41);

select given_graph('g', 'a -> b');
create temp table bridge (name text primary key, id bigint);
insert into bridge values ('one', register_bridge('host-1', 100, '0.1')), ('two', register_bridge('host-2', 200, '0.1'));
create function pg_temp.bridge(name text) returns bigint language sql as $$ select b.id from pg_temp.bridge b where b.name = $1 $$;
create function pg_temp.claim(name text, variadic partitions integer[]) returns text language sql as $$
    select string_agg(format('%s@%s', c.partition, c.next_offset), ' ' order by c.partition)
    from orchestration.claim_partitions(pg_temp.bridge(name), 'etl_finished_tasks', 'cluster', 'topic', partitions) c
$$;
create function pg_temp.epoch(part integer) returns bigint language sql as $$ select k.epoch from orchestration.kafka_offset k where k.topic = 'etl_finished_tasks' and k.partition = part $$;
create function pg_temp.send(name text, part integer, epoch bigint, expected bigint, next bigint, payload text default null) returns bigint language sql as $$
    -- a batch of one message, or of none; how many dispatches came back
    select count(*) from orchestration.ingest(pg_temp.bridge(name), 'etl_finished_tasks',
        case when payload is null then '{}' else array[part] end, case when payload is null then '{}' else array[next - 1] end,
        case when payload is null then '{}' else array[convert_to('key', 'UTF8')] end, case when payload is null then '{}' else array[convert_to(payload, 'UTF8')] end,
        array[part], array[epoch], array[expected], array[next], '{}')
$$;

-- first start
select refuses($$ select pg_temp.claim('one', 0, 1) $$, 'OR701', 'topic etl_finished_tasks', 'no stored offset: the bridge refuses');
select is((select count(*)::int from kafka_offset), 0, 'and stores none');
select seed_offsets('etl_finished_tasks', 'cluster', 'topic', array[0, 1], array[10, 0]::bigint[]);
select is(pg_temp.claim('one', 0, 1), '0@10 1@0', 'the operator''s word: where to begin');
select refuses(format($$ select * from claim_partitions(%s, 'etl_finished_tasks', 'cluster', 'other', array[0]) $$, pg_temp.bridge('one')), 'OR702', 'topic etl_finished_tasks was re-created', 'a re-created topic');
select refuses(format($$ select * from claim_partitions(%s, 'etl_finished_tasks', 'other', 'topic', array[0]) $$, pg_temp.bridge('one')), 'OR703', 'etl_finished_tasks .*cluster', 'another cluster');
select refuses(format($$ select * from claim_partitions(%s, 'etl_finished_tasks', 'other', 'other', array[0]) $$, pg_temp.bridge('one')), 'OR703', 'cluster', 'both: the cluster first');
select refuses($$ select * from claim_partitions(-1, 'etl_finished_tasks', 'cluster', 'topic', array[0]) $$, 'OR712', 'bridge -1', 'an unknown bridge');
select is(pg_temp.claim('one', 2), '2@0', 'a partition added to a known topic starts at 0');

-- the offset moves with the events
select is(pg_temp.send('one', 0, pg_temp.epoch(0), 10, 11, '{"service": "airflow", "process": "p_a", "status": "SUCCESS"}'), 1::bigint, 'a batch: its dispatch comes back');
select is((select next_offset from kafka_offset where partition = 0), 11::bigint, 'the offset is stored');
select is(pg_temp.send('one', 0, pg_temp.epoch(0), 11, 15), 0::bigint, 'a batch without messages moves the offset as well');
select is((select next_offset from kafka_offset where partition = 0), 15::bigint, 'stored');
select refuses($$ select pg_temp.send('one', 0, pg_temp.epoch(0), 11, 12, '{"service": "airflow", "process": "p_a", "status": "SUCCESS"}') $$, 'OR710', 'partitions \{0\} of topic etl_finished_tasks', 'the same batch again: the expected offset is not the stored one');
select is((select count(*)::int from graph_run), 1, 'nothing is applied twice');
select is((select next_offset from kafka_offset where partition = 0), 15::bigint, 'nothing is stored');

-- fencing
create temp table old as select pg_temp.epoch(0) as epoch;
select is(pg_temp.claim('two', 0), '0@15', 'another bridge takes over where the first stopped');
select cmp_ok(pg_temp.epoch(0), '>', (select epoch from old), 'the epoch goes up');
select refuses($$ select pg_temp.send('one', 0, (select epoch from old), 15, 16, '{"service": "airflow", "process": "p_a", "status": "SUCCESS"}') $$, 'OR710', format('bridge %s no longer holds', pg_temp.bridge('one')), 'whoever held it is fenced');
select is((select count(*)::int from task_run where task_id = task_id('a')), 1, 'its events are not applied');
select is(pg_temp.send('two', 0, pg_temp.epoch(0), 15, 16, '{"service": "airflow", "process": "p_a", "status": "SUCCESS"}'), 1::bigint, 'the new holder''s are');
select is((select bridge_id from kafka_offset where partition = 0), pg_temp.bridge('two'), 'who holds it is visible');
select is((select bridge_id from kafka_offset where partition = 1), pg_temp.bridge('one'), 'other partitions stay');
-- one of several partitions lost: the whole batch is refused
select refuses(format($$ select * from ingest(%s, 'etl_finished_tasks', array[1], array[0::bigint], array[null::bytea], array[convert_to('{}', 'UTF8')], array[0, 1], array[%s, %s], array[16, 0]::bigint[], array[17, 1]::bigint[], '{}') $$,
               pg_temp.bridge('one'), (select epoch from old), pg_temp.epoch(1)), 'OR710', 'no longer holds all of', 'one of two partitions lost: the whole batch is refused');
select is((select next_offset from kafka_offset where partition = 1), 0::bigint, 'the other offset does not move');
select is(letters(), 'none', 'nor is its message put away');
select refuses(format($$ select * from ingest(%s, 'no_such_topic', '{}', '{}', '{}', '{}', array[0], array[1::bigint], array[0::bigint], array[1::bigint], '{}') $$, pg_temp.bridge('one')), 'OR710', 'no_such_topic', 'a topic nobody claimed');
-- an operator seeds anew: whoever reads is fenced
create temp table before_seed as select pg_temp.epoch(0) as epoch;
select seed_offsets('etl_finished_tasks', 'cluster-2', 'topic-2', array[0, 1, 2], array[100, 100, 100]::bigint[]);
select refuses($$ select pg_temp.send('two', 0, (select epoch from before_seed), 16, 17) $$, 'OR710', 'no longer holds', 'after seeding the holder is fenced');
select refuses($$ select pg_temp.send('two', 0, (select epoch from before_seed), 100, 101) $$, 'OR710', 'no longer holds', 'even if it knew the offset');
select refuses($$ select pg_temp.claim('two', 0) $$, 'OR70[23]', 'etl_finished_tasks', 'and has to come with the new cluster and topic');
select is((select string_agg(format('%s@%s', c.partition, c.next_offset), ' ' order by c.partition) from claim_partitions(pg_temp.bridge('two'), 'etl_finished_tasks', 'cluster-2', 'topic-2', array[0, 1]) c), '0@100 1@100', 'then it begins where the operator said');
select refuses($$ select seed_offsets('etl_finished_tasks', 'c', 't', array[0], array[-1]::bigint[]) $$, '23514|OR501', 'offset|kafka_offset_next_offset_is_not_negative', 'a negative offset is refused');

-- stopped
select stop_service();
select refuses($$ select pg_temp.send('two', 0, pg_temp.epoch(0), 100, 101, '{}') $$, 'OR711', 'stopped', 'stopped: no batch is taken in');
select is((select next_offset from kafka_offset where partition = 0), 100::bigint, 'the offset stays');
select start_service();
select is(pg_temp.send('two', 0, pg_temp.epoch(0), 100, 101, '{}'), 0::bigint, 'started: it goes on');
select is(letters(), 'malformed', 'from there');

-- retired
select retire_bridge(pg_temp.bridge('two'));
select refuses($$ select * from claim_partitions(pg_temp.bridge('two'), 'etl_finished_tasks', 'cluster-2', 'topic-2', array[0]) $$, 'OR712', 'bridge', 'a retired bridge claims nothing');
select refuses(format($$ select heartbeat(%s, '{}', '{}') $$, pg_temp.bridge('two')), 'OR712', 'bridge', 'nor does it live');

-- quarantine
select heartbeat(pg_temp.bridge('one'), '{}', '{}');
select 1 from claim_partitions(pg_temp.bridge('one'), 'etl_finished_tasks', 'cluster-2', 'topic-2', array[1]);
select quarantine(pg_temp.bridge('one'), 'etl_finished_tasks', 1, 100, '\x6b', '\xff00', 'XX000', 'cache lookup failed', pg_temp.epoch(1), 100, 101);
select is((select (topic, partition, "offset", key, value, reason, detail)::text from dead_letter order by id desc limit 1), '(etl_finished_tasks,1,100,"\\x6b","\\xff00",error,"XX000: cache lookup failed")',
          'quarantine: a dead letter with raw bytes, coordinates and the error');
select is((select next_offset from kafka_offset where partition = 1), 101::bigint, 'in the transaction that moves the offset');
select refuses($$ select quarantine(pg_temp.bridge('one'), 'etl_finished_tasks', 1, 100, '\x6b', '\xff00', 'XX000', 'again', pg_temp.epoch(1), 100, 101) $$, 'OR710', 'no longer holds', 'not twice');
select is((select count(*)::int from dead_letter where reason = 'error'), 1, 'one');
