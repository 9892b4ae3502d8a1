-- SPEC 3 and 4.1 rule 7: a malformed message is a dead letter with a reason; limits; unknown fields are welcome.
select plan(68);

select given_graph('g', 'a -> b');
create temp table bad (event jsonb, words text);
insert into bad values
    ('[]', 'array'), ('"SUCCESS"', 'string'), ('1', 'number'), ('null', 'null'), ('true', 'boolean'), ('{}', 'status'),
    ('{"status": "SUCCESS"}', 'task_run_id'),
    ('{"service": "airflow", "status": "SUCCESS"}', 'process'),
    ('{"process": "p_a", "status": "SUCCESS"}', 'service'),
    ('{"service": "airflow", "process": "p_a"}', 'status'),
    ('{"service": "airflow", "process": "p_a", "status": null}', 'status'),
    ('{"service": "airflow", "process": "p_a", "status": "success"}', 'success'),
    ('{"service": "airflow", "process": "p_a", "status": "CANCELLED"}', 'CANCELLED'),
    ('{"service": "airflow", "process": "p_a", "status": "QUEUED"}', 'QUEUED'),
    ('{"service": "airflow", "process": "p_a", "status": "DISPATCHED"}', 'DISPATCHED'),
    ('{"service": "airflow", "process": "p_a", "status": ["SUCCESS"]}', 'status'),
    ('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "v": 2}', 'version'),
    ('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "v": "1"}', 'version'),
    ('{"service": "", "process": "p_a", "status": "SUCCESS"}', 'service'),
    ('{"service": "airflow", "process": "", "status": "SUCCESS"}', 'process'),
    ('{"service": ["airflow"], "process": "p_a", "status": "SUCCESS"}', 'service'),
    ('{"service": "airflow", "process": 7, "status": "SUCCESS"}', 'process'),
    ('{"service": "airflow", "process": "p_a", "task": 7, "status": "SUCCESS"}', 'task'),
    ('{"service": "airflow", "process": "p_a", "task": "", "status": "SUCCESS"}', 'task'),
    ('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "run_key": ""}', 'run_key'),
    ('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "run_key": 20261122}', 'run_key'),
    ('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "run_key": "a\nb"}', 'run_key'),
    ('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "external_id": ""}', 'external_id'),
    ('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "external_id": {}}', 'external_id'),
    ('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "event_id": ""}', 'event_id'),
    ('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "event_id": 5}', 'event_id'),
    ('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "detail": 5}', 'detail'),
    ('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "result": []}', 'result'),
    ('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "result": "x"}', 'result'),
    ('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "occurred_at": 5}', 'occurred_at'),
    ('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "installation": 5}', 'installation'),
    ('{"task_run_id": "42", "status": "SUCCESS"}', 'task_run_id'),
    ('{"task_run_id": -1, "status": "SUCCESS"}', 'task_run_id'),
    ('{"task_run_id": 1.5, "status": "SUCCESS"}', 'task_run_id'),
    ('{"task_run_id": 99999999999999999999, "status": "SUCCESS"}', 'task_run_id'),
    ('{"task_run_id": [1], "status": "SUCCESS"}', 'task_run_id'),
    ('{"task_run_id": true, "status": "SUCCESS"}', 'task_run_id');
insert into bad values
    (jsonb_build_object('service', 'airflow', 'process', 'p_a', 'status', 'SUCCESS', 'run_key', repeat('k', 251)), 'run_key'),
    (jsonb_build_object('service', 'airflow', 'process', 'p_a', 'status', 'SUCCESS', 'external_id', repeat('k', 251)), 'external_id'),
    (jsonb_build_object('service', 'airflow', 'process', 'p_a', 'status', 'SUCCESS', 'event_id', repeat('k', 251)), 'event_id'),
    (jsonb_build_object('service', 'airflow', 'process', 'p_a', 'status', 'SUCCESS', 'result', jsonb_build_object('a', repeat('r', 256 * 1024))), 'result'),
    (jsonb_build_object('service', 'airflow', 'process', 'p_a', 'status', 'SUCCESS', 'detail', repeat('d', 1024 * 1024)), '1 MiB');
create function pg_temp.fate(event jsonb) returns text language plpgsql as $$
declare
    v_id bigint;
begin
    v_id := orchestration.report(event);
    return coalesce(v_id::text, (select d.topic || ' ' || d.reason || ': ' || d.detail from orchestration.dead_letter d order by d.id desc limit 1));
end
$$;
select matches(pg_temp.fate(b.event), '^sql malformed: .*' || b.words, 'malformed: ' || left(b.event::text, 90)) from bad b;
select is((select count(*) from dead_letter), (select count(*) from bad), 'a dead letter each');
select is((select convert_from(value, 'UTF8')::jsonb from dead_letter order by id limit 1), '[]', 'with the message as it came');
select is((select count(*)::int from task_run), 0, 'nothing else came of them');

-- unknown things: rule 7
select is(report('{"service": "nobody", "process": "p_a", "status": "SUCCESS"}'), null, 'an unknown service');
select is(report('{"service": "airflow", "process": "nothing", "status": "SUCCESS"}'), null, 'an unknown process');
select is(report('{"service": "airflow", "process": "p_a", "task": "b", "status": "SUCCESS"}'), null, 'an unknown task of a known process');
select is((select array_agg(reason order by id) from (select * from dead_letter order by id desc limit 3) x), array['unknown', 'unknown', 'unknown'], 'are dead letters `unknown`');
select matches((select string_agg(detail, '|' order by id) from (select * from dead_letter order by id desc limit 3) x), 'service nobody.*process nothing of service airflow.*no task b', 'that name them');

-- what is welcome
select is(task_of(report('{"v": 1, "service": "airflow", "process": "p_a", "status": "SUCCESS", "colour": "blue", "nested": {"deep": [1]}}')), 'a', 'unknown fields');
select is(task_of(report('{"v": null, "service": "airflow", "process": "p_a", "task": null, "task_run_id": null, "status": "SUCCESS", "run_key": null, "external_id": null, "event_id": null, "detail": null, "result": null, "occurred_at": null, "installation": null}')), 'a',
          'null is the same as absent');
select is(task_of(report(jsonb_build_object('service', 'airflow', 'process', 'p_a', 'status', 'SUCCESS', 'run_key', repeat('ж', 250)))), 'a', 'a run key of 250 characters');
select is(task_of(report(jsonb_build_object('service', 'airflow', 'process', 'p_a', 'status', 'SUCCESS', 'run_key', 'big', 'result', jsonb_build_object('a', repeat('r', 256 * 1024 - 9))))), 'a',
          'a result of just 256 KiB');
select is((select octet_length(result::text) from task_run where run_key = 'big' and task_id = task_id('a')), 262144, 'is kept whole');
select is(task_of(report('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "run_key": "at", "occurred_at": "1999-01-01T00:00:00Z"}')), 'a', 'occurred_at');
select cmp_ok((select finished_at from task_run where run_key = 'at' and task_id = task_id('a')), '>', '2020-01-01'::timestamptz, 'which only informs');
select is(task_of(report('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "run_key": "long", "detail": "a\nb\tc"}')), 'a', 'a detail of several lines');

-- another installation
select is(report(jsonb_build_object('service', 'airflow', 'process', 'p_a', 'status', 'SUCCESS', 'installation', '00000000-0000-0000-0000-000000000000')), null, 'another installation''s event');
select is((select reason from dead_letter order by id desc limit 1), 'foreign', 'is a dead letter `foreign`');
select is(task_of(report(jsonb_build_object('service', 'airflow', 'process', 'p_a', 'status', 'SUCCESS', 'run_key', 'own', 'installation', i.id))), 'a', 'our own is welcome') from installation i;
select is((select reason from dead_letter order by id desc limit 1), 'foreign', 'without a dead letter');
select refuses($$ select report(null) $$, 'OR501', 'report', 'no event at all is a bad argument: raised');
