-- SPEC 4.1 rule 1: task_run_id given: that one. Service, process or task also given and different: dead letter `mismatch`.
select plan(16);

select given_service('other'), given_graph('g', 'a -> b', 'c -> d');
select launch_graph('g');
select is(tell(at(run('g'), 'a'), 'RUNNING'), at(run('g'), 'a'), 'report answers the task run');
select is(pictures('g'), 'RUNNING | a RUNNING | b - | c DISPATCHED | d -', 'which runs; nobody else does');
select isnt((select started_at from task_run where id = at(run('g'), 'a')), null, 'started_at is set');
select is((last_event(at(run('g'), 'a'))).matched_by, 'task_run_id', 'history says by what it was matched');

select is(report(jsonb_build_object('task_run_id', at(run('g'), 'a'), 'status', 'SUCCESS', x.field, x.value)), null, 'a different ' || x.field || ' is refused')
from (values ('service', 'other'), ('process', 'p_c'), ('task', 'c'), ('task', 'no such task')) x(field, value);
select is(letters(), 'mismatch, mismatch, mismatch, mismatch', 'as dead letters');
select alike(letter_words(), format('%%task run %s is of service airflow, process p_a, task a%%', at(run('g'), 'a')), 'that say what the task run is of');
select is(pictures('g'), 'RUNNING | a RUNNING | b - | c DISPATCHED | d -', 'and change nothing');
select is(report(jsonb_build_object('task_run_id', at(run('g'), 'a'), 'status', 'SUCCESS', 'service', 'airflow', 'process', 'p_a', 'task', 'a', 'run_key', 'another')), at(run('g'), 'a'),
          'the same service, process and task are welcome; the run key is not looked at');
select is(pictures('g'), 'RUNNING | a SUCCESS | b DISPATCHED | c DISPATCHED | d -', 'b starts');
select isnt((select finished_at from task_run where id = at(run('g'), 'a')), null, 'finished_at is set');

select is(report('{"task_run_id": 999999999999, "status": "SUCCESS"}'), null, 'an id that is not there');
select is(letters(), 'mismatch, mismatch, mismatch, mismatch, unknown', 'is a dead letter');
