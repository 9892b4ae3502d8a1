-- SPEC 3: unknown fields of an event are kept, not refused; occurred_at only informs. Both stand in the history beside the transition.
select plan(15);
select given_graph('g', 'a -> b -> c');
create function pg_temp.kept(task_run bigint) returns text language sql as $$
    select string_agg(e.new_status || ' ' || coalesce(e.extra::text, '-'), ' | ' order by e.id) from orchestration.task_run_event e where e.task_run_id = kept.task_run
$$;
create temp table r as select report('{"v": 1, "service": "airflow", "process": "p_a", "status": "SUCCESS", "try_number": 2, "occurred_at": "2026-11-22T03:00:00Z", "url": {"x": [null, 1.50]}}') as id;
select is(pg_temp.kept((select id from r)), 'SUCCESS {"url": {"x": [null, 1.50]}, "try_number": 2, "occurred_at": "2026-11-22T03:00:00Z"}', 'of work a tool started');
select is(pg_temp.kept(at(run('g'), 'b')), 'DISPATCHED -', 'what follows from it has none of it');
select is(current_setting('orchestration.extra', true), '', 'nor has the transaction');
select report(format('{"task_run_id": %s, "status": "ACCEPTED", "pool": "x"}', at(run('g'), 'b'))::jsonb);
select report(format('{"task_run_id": %s, "status": "RUNNING", "host": "w1"}', at(run('g'), 'b'))::jsonb);
select report(format('{"task_run_id": %s, "status": "SUCCESS"}', at(run('g'), 'b'))::jsonb);
select report(format('{"task_run_id": %s, "status": "FAILED", "late": true}', at(run('g'), 'b'))::jsonb);
select is(pg_temp.kept(at(run('g'), 'b')), 'DISPATCHED - | DISPATCHED {"pool": "x"} | RUNNING {"host": "w1"} | SUCCESS - | SUCCESS {"late": true}', 'of every event of an execution, those that changed nothing too');
select is((select status from task_run where id = at(run('g'), 'b')), 'SUCCESS', 'which take effect as without');

-- in a batch, several of one task run
create temp table bridge as select given_topic() as id;
create temp table c as select at(run('g'), 'c') as id;
select feed((select id from bridge), format('{"task_run_id": %s, "status": "RUNNING", "n": 1}', (select id from c))::jsonb,
    '{"service": "airflow", "process": "p_a", "status": "SUCCESS", "run_key": "k", "n": 2}', format('{"task_run_id": %s, "status": "SUCCESS", "n": 3}', (select id from c))::jsonb,
    '{"service": "airflow", "process": "p_a", "status": "SUCCESS", "run_key": "l"}');
select is(pg_temp.kept((select id from c)), 'DISPATCHED - | RUNNING {"n": 1} | SUCCESS {"n": 3}', 'each its own');
select is(pg_temp.kept(at(run('g', 2), 'a')), 'SUCCESS {"n": 2}', 'new work its own');
select is(pg_temp.kept(at(run('g', 3), 'a')), 'SUCCESS -', 'and none where there was none');

-- of any kind and name; the rules for known fields stand
select report('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "run_key": "m", "": null, "Status": "x", "task_run": 7, "x''; drop table task --": "{{ 7*7 }}"}');
select is(pg_temp.kept(at(run('g', 4), 'a')), 'SUCCESS {"": null, "Status": "x", "task_run": 7, "x''; drop table task --": "{{ 7*7 }}"}', 'whatever they are');
select is(report('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "occurred_at": 7}'), null, 'occurred_at is text');
select is(letters(1), 'malformed', 'or malformed');
select is(report('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "run_key": 7, "more": 1}'), null, 'unknown fields do not hide a bad one');
select isnt(report('{"service": "airflow", "process": "p_a", "status": "SUCCESS", "run_key": "n", "occurred_at": null}'), null, 'a null is none');
select is(report('[1]'), null, 'an array has no fields');
select is(letters(1), 'malformed', 'and is malformed as before');
