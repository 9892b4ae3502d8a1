-- "Why did nothing happen?": what was recorded of an event and what it would do now, tried and undone.
select plan(24);
set local client_min_messages = warning;
create function pg_temp.told(event jsonb) returns text language sql as $$
    select string_agg(e.what || ': ' || e.detail, E'\n') from orchestration.explain_event(told.event) e
$$;
select clock('2026-11-22T03:00:00Z');
select given_acceptance();
select is(pg_temp.told('{"service": "nifi", "process": "p_1", "status": "SUCCESS", "run_key": "k"}'),
          'now: it would bring task run (a new one) of task 1 to SUCCESS (found by started); started: 2, 4; graph runs opened: 1', 'a root: what it would start');
select is((select count(*)::int from task_run), 0, 'nothing of it is done');
select is((select count(*)::int from graph_run), 0, 'no run');
select is((select count(*)::int from dispatch), 0, 'no dispatch');
select is((select count(*)::int from task_run_event), 0, 'no history');
select is(pg_temp.told('{"service": "nifi", "process": "p_1", "status": "SUCCESS", "event_id": "e1"}'), pg_temp.told('{"service": "nifi", "process": "p_1", "status": "SUCCESS"}'), 'no event id is remembered');
select say('1', 'SUCCESS', event_id => 'e1');
select matches(pg_temp.told('{"service": "nifi", "process": "p_1", "status": "SUCCESS", "event_id": "e1"}'),
    'taken in: 2026-11-22 03:00:00Z: event_id e1 with status SUCCESS, as task run \d+\nnow: nothing: the same event_id and status was taken in already, as task run \d+ of task 1', 'taken in already');
select alike(pg_temp.told('{"service": "nifi", "process": "p_1", "status": "SUCCESS"}'), '%started: 2, 4; skipped: 3 (coalesced), 5 (coalesced)%', 'a repeat: what it would coalesce');
select alike(pg_temp.told('{"service": "nifi", "process": "p_9", "status": "SUCCESS"}'), 'now: it would be a dead letter: unknown: no task is known for process p_9%', 'unknown');
select is((select count(*)::int from dead_letter), 0, 'and is none');
select alike(pg_temp.told('[1]'), 'now: it would be a dead letter: malformed%', 'malformed');
select alike(pg_temp.told('{"status": "SUCCESS", "task_run_id": "x"}'), 'now: it would be a dead letter: malformed%', 'an id that is none');
select matches(pg_temp.told(format('{"task_run_id": %s, "status": "RUNNING"}', at(run('integration'), '2'))::jsonb),
    'execution: task run \d+ of task 2 is DISPATCHED\nnow: it would bring task run \d+ of task 2 from DISPATCHED to RUNNING \(found by task_run_id\)', 'the execution it names');
select tell(at(run('integration'), '2'), 'SUCCESS', ext => 'x-1', detail => 'well');
select matches(pg_temp.told('{"service": "airflow", "process": "p_2", "external_id": "x-1", "status": "FAILED"}'),
    'execution: task run \d+ of task 2 is SUCCESS since 2026-11-22 03:00:00Z: well\nnow: it would be recorded as late of task run \d+ of task 2, which is SUCCESS, and change nothing else \(found by external_id\)', 'a late one');
select matches(pg_temp.told(format('{"task_run_id": %s, "status": "ACCEPTED"}', at(run('integration'), '4'))::jsonb), 'recorded as accepted of task run', 'ACCEPTED');
select is((select status from task_run where id = at(run('integration'), '4')), 'DISPATCHED', 'all that was tried is undone');
select is(current_setting('orchestration.actor', true), '', 'and who asks is as before');
select refuses('select * from explain_event(null)', 'OR501', 'without an event', 'no event');

-- dead letters
select report('{"service": "nifi", "process": "p_9", "status": "SUCCESS"}');
select matches((select string_agg(e.what || ': ' || e.detail, E'\n') from dead_letter d, explain_dead_letter(d.id) e),
    '^dead letter: \d+ of 2026-11-22 03:00:00Z \(topic sql\): unknown: no task is known.*\nnow: it would be a dead letter: unknown', 'why it is one, and still is');
select given_task('9', 'nifi');
select matches((select string_agg(e.what || ': ' || e.detail, E'\n') from dead_letter d, explain_dead_letter(d.id) e), '\nnow: it would bring task run \(a new one\) of task 9 to SUCCESS', 'what its replay would do');
select replay((select id from dead_letter));
select matches((select string_agg(e.what || ': ' || e.detail, E'\n') from dead_letter d, explain_dead_letter(d.id) e), 'replayed 2026-11-22 03:00:00Z by .* as task run \d+', 'that it was replayed');
insert into dead_letter (topic, value, reason, detail) values ('etl_finished_tasks', '\xff', 'malformed', 'no UTF-8');
select matches((select string_agg(e.what || ': ' || e.detail, E'\n') from explain_dead_letter((select max(id) from dead_letter)) e), 'malformed: no UTF-8; its bytes can never be taken in$', 'bytes');
select refuses('select * from explain_dead_letter(0)', 'OR405', 'dead letter 0', 'an unknown one');
select is((select count(*)::int from dead_letter), 2, 'nothing was added');
