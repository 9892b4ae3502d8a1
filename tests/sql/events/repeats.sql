-- SPEC 3: the same service, process, event_id and status twice is one event, remembered 14 days (a setting); a dead letter does not count as seen.
select plan(24);

select given_graph('g', 'a -> b'), given_task('a_too', 'airflow', 'p_a'), given_task('z', 'airflow', 'p_z'), given_graph('h', 'm -> n');
create temp table first as select orchestration.report('{"service": "airflow", "process": "p_a", "task": "a", "status": "SUCCESS", "run_key": "k", "event_id": "e1"}') as id;
select is(report('{"service": "airflow", "process": "p_a", "task": "a", "status": "SUCCESS", "run_key": "k", "event_id": "e1"}'), (select id from first), 'the same event again answers the same task run');
select is(report('{"service": "airflow", "process": "p_a", "task": "a", "status": "SUCCESS", "run_key": "other", "event_id": "e1"}'), (select id from first), 'whatever else it says');
select is((select count(*)::int from task_run where task_id = task_id('a')), 1, 'one task run');
select is((select count(*)::int from graph_run), 1, 'one graph run');
select is(letters(), 'none', 'no dead letter');
select isnt(report('{"service": "airflow", "process": "p_a", "task": "a", "status": "SUCCESS", "run_key": "k", "event_id": "e2"}'), (select id from first), 'another event_id is another event');
select isnt(report('{"service": "airflow", "process": "p_a", "task": "a", "status": "FAILED", "run_key": "k2", "event_id": "e1"}'), (select id from first), 'another status is another event');
select is(task_of(report('{"service": "airflow", "process": "p_z", "status": "SUCCESS", "event_id": "e1"}')), 'z', 'another process is another event');

-- by task_run_id: the process is that of the task run
select tell(at(run('g', 1), 'b'), 'RUNNING', event_id => 'r1');
select is((select count(*)::int from task_run_event where task_run_id = at(run('g', 1), 'b')), 2, 'RUNNING is recorded');
select is(tell(at(run('g', 1), 'b'), 'RUNNING', event_id => 'r1'), at(run('g', 1), 'b'), 'the same event by task_run_id');
select is(tell(at(run('g', 1), 'b'), 'SUCCESS', event_id => 'r1'), at(run('g', 1), 'b'), 'the same id with another status is its own event');
select is((select status from task_run where id = at(run('g', 1), 'b')), 'SUCCESS', 'and is applied');

-- a dead letter does not count as seen
select is(report('{"service": "airflow", "process": "p_new", "status": "SUCCESS", "event_id": "n1"}'), null, 'an unknown process');
select given_task('new', 'airflow', 'p_new');
select is(task_of(report('{"service": "airflow", "process": "p_new", "status": "SUCCESS", "event_id": "n1"}')), 'new', 'the same event once the process is known');
select is(say('n', 'SUCCESS', 'nobody', event_id => 'n2'), null, 'an unexpected one');
select is(task_of(say('n', 'SUCCESS', 'nobody', 'ext', 'n2')), 'n', 'the same event once it can be placed');

-- remembered for a while
select is((select value from setting where name = 'event_memory'), '14 days', 'the setting');
select clock((now() + interval '13 days 23 hours')::text);
select is(report('{"service": "airflow", "process": "p_a", "task": "a", "status": "SUCCESS", "run_key": "k", "event_id": "e1"}'), (select id from first), 'after 13 days 23 hours it is known');
select clock((now() + interval '14 days 1 hour')::text);
select isnt(report('{"service": "airflow", "process": "p_a", "task": "a", "status": "SUCCESS", "run_key": "k", "event_id": "e1"}'), (select id from first), 'after 14 days it is a new event');
select is(report('{"service": "airflow", "process": "p_a", "task": "a", "status": "SUCCESS", "run_key": "k", "event_id": "e1"}'), (select max(id) from task_run where task_id = task_id('a') and run_key = 'k'), 'known anew');
update setting set value = '1 hour' where name = 'event_memory';
select clock((now() + interval '14 days 2 hours 1 minute')::text);
select isnt(report('{"service": "airflow", "process": "p_z", "status": "SUCCESS", "event_id": "e1"}'), (select min(id) from task_run where task_id = task_id('z')), 'another memory, another end of it');

-- without event_id every event is one of its own
select clock(now()::text);
select is((select count(*)::int from (select report('{"service": "airflow", "process": "p_z", "status": "SUCCESS"}') from generate_series(1, 3)) x), 3, 'three events');
select is((select count(*)::int from task_run where task_id = task_id('z')), 5, 'are three task runs');
select is(letters(), 'unknown, unexpected', 'no other dead letter');
