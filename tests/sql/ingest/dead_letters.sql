-- SPEC 4.1 rule 7: a message that cannot be applied is a dead letter with raw bytes, coordinates and reason; it never blocks what follows.
select plan(21);

select given_graph('g', 'a -> b');
create temp table bridge as select given_topic() as id;
create temp table message (i integer, key bytea, value bytea);
insert into message values
    (0, null, '\xfffe'),                                                        -- no UTF-8
    (1, 'k', convert_to('{"status": ', 'UTF8')),                                   -- no JSON
    (2, null, null),                                                               -- a tombstone
    (3, null, ''),                                                                 -- empty
    (4, null, convert_to('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "detail": "\u0000"}', 'UTF8')),
    (5, 'k5', convert_to('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "run_key": "good"}', 'UTF8')),
    (6, null, convert_to('{"service": "airflow", "process": "p_b", "status": "SUCCESS", "run_key": "good"}', 'UTF8')),
    (7, null, convert_to('{"task_run_id": 999999999, "status": "SUCCESS"}', 'UTF8')),
    (8, '\x00ff', convert_to(repeat('[', 20000), 'UTF8')),                         -- nested too deep
    (9, null, convert_to('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "run_key": "lone \ud800"}', 'UTF8')),
    (10, null, convert_to('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "run_key": "second"}', 'UTF8'));
create temp table sent as
select d.* from kafka_offset k, bridge b, lateral ingest(b.id, 'etl_finished_tasks', array(select 0 from message), array(select i::bigint from message order by i),
    array(select key from message order by i), array(select value from message order by i), array[0], array[k.epoch], array[0::bigint], array[11::bigint], '{}') d
where k.partition = 0;
select transaction_ends();
select is((select string_agg(format('%s %s', "offset", reason), ', ' order by "offset") from dead_letter), '0 malformed, 1 malformed, 2 malformed, 3 malformed, 4 malformed, 7 unknown, 8 malformed, 9 malformed', 'each bad message is a dead letter');
select is((select array_agg(distinct format('%s/%s', topic, partition)) from dead_letter), array['etl_finished_tasks/0'], 'with its coordinates');
select is((select count(*)::int from dead_letter d join message m on m.i = d."offset" where d.value is distinct from m.value or d.key is distinct from m.key), 0, 'and its bytes as they came');
select is((select count(*)::int from dead_letter where detail = ''), 0, 'and words');
select is((select array_agg(run_key order by id) from graph_run), array['good', 'second'], 'the good ones between are applied');
select is((select status from task_run where task_id = task_id('b') and run_key = 'good'), 'SUCCESS', 'in their order: the end of b found the b that the event before it started');
select is((select next_offset from kafka_offset where partition = 0), 11::bigint, 'the offset moves over all of them');
select is((select count(*)::int from sent), 2, 'two dispatches come back');

-- dispatches of the own batch: claimed by the caller
select is((select count(*)::int from sent s join dispatch d on d.task_run_id = s.task_run_id, bridge b where d.bridge_id = b.id), 2, 'claimed by this bridge');
select is((select count(*)::int from sent s join dispatch d on d.task_run_id = s.task_run_id where (d.topic, d.key, d.value) is distinct from (s.dispatch_topic, s.key, s.value)), 0, 'with topic, key and value as in the outbox');
select is((select count(*)::int from bridge b, take_dispatches(b.id, 100)), 0, 'nobody takes them again');
-- a dispatch made by others is not answered
insert into task_run (task_id, run_key) values (task_id('b'), 'by hand');
select is((select array_agg(f order by f) from bridge b, feed(b.id, '{"service": "airflow", "process": "p_a", "status": "SUCCESS", "run_key": "third"}') f), array['b'], 'a batch answers its own dispatches only');
select is((select count(*)::int from dispatch d join task_run t on t.id = d.task_run_id where t.run_key = 'by hand' and d.bridge_id is null), 1, 'the others wait to be taken');
-- confirmations come with the next call
select is((select count(*)::int from dispatch where bridge_id is not null), 3, 'three are on their way');
select 1 from kafka_offset k, bridge b, lateral ingest(b.id, 'etl_finished_tasks', '{}', '{}', '{}', '{}', array[0], array[k.epoch], array[k.next_offset], array[k.next_offset], array(select task_run_id from sent)) d where k.partition = 0;
select is((select count(*)::int from dispatch where bridge_id is not null), 1, 'confirmed ones leave the outbox');
-- an empty call
select lives_ok($$ select 1 from bridge b, ingest(b.id, 'etl_finished_tasks', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}') $$, 'a call about nothing is none');
-- two events of one batch about one execution
select is((select count(*)::int from bridge b, feed(b.id, '{"service": "airflow", "process": "p_a", "status": "RUNNING", "external_id": "x", "run_key": "both"}', '{"service": "airflow", "process": "p_a", "status": "SUCCESS", "external_id": "x"}',
           '{"service": "airflow", "process": "p_a", "status": "SUCCESS", "external_id": "x", "event_id": "late"}', '{"service": "airflow", "process": "p_a", "status": "FAILED", "external_id": "x"}')), 1, 'RUNNING and its end in one batch start b once');
select is((select count(*)::int from task_run where external_id = 'x'), 1, 'one execution');
select is((select status || ' ' || coalesce(run_key, '-') from task_run where external_id = 'x'), 'SUCCESS -', 'which succeeded, under the key of its end: leaving out RUNNING changes nothing');
-- the same event_id twice in a batch
select is((select count(*)::int from bridge b, feed(b.id, '{"service": "airflow", "process": "p_a", "status": "SUCCESS", "event_id": "e", "run_key": "twice"}', '{"service": "airflow", "process": "p_a", "status": "SUCCESS", "event_id": "e", "run_key": "twice"}')), 1, 'the same event twice in a batch is one');
select is((select count(*)::int from graph_run where run_key = 'twice'), 1, 'one run');
