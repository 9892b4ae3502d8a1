-- 4.1.7: a dead letter can be replayed once its cause is mended: once, under the present rules; who did it is recorded.
select plan(42);
set local client_min_messages = warning;
select given_graph('g', 'a -> b -> c');

-- the cause is mended
select set_config('orchestration.clock', '2026-11-22T03:00:00Z', true);
select is(report('{"service": "airflow", "process": "p_late", "status": "SUCCESS", "run_key": "k", "event_id": "e1"}'), null, 'a process nobody knows');
create temp table letter as select id from dead_letter;
select refuses(format('select replay(%s)', (select id from letter)), 'OR407', 'unknown: no task is known for process p_late', 'not mended yet: refused with the present reason');
select is((select count(*)::int from dead_letter where replayed_at is null), 1, 'it stays open, without a double');
select given_graph('h', 'late -> next');
select set_config('orchestration.clock', '2026-11-22T04:00:00Z', true);
select set_config('orchestration.actor', 'anna', true);
create temp table done as select replay((select id from letter)) as id;
select is(task_of((select id from done)), 'late', 'mended: the task run');
select is(pictures('h'), 'RUNNING | late SUCCESS | next DISPATCHED', 'and all that follows from the event');
select is((select (replayed_at, replayed_by, task_run_id) from dead_letter), ('2026-11-22T04:00:00Z'::timestamptz, 'anna'::text, (select id from done)), 'when, by whom and as what');
select is((select actor from task_run_event where task_run_id = (select id from done)), 'anna', 'the history says who, too');
select refuses(format('select replay(%s)', (select id from letter)), 'OR406', 'was replayed at .* by anna', 'a second time: refused');
select is((select count(*)::int from graph_run where graph_id = graph_id('h')), 1, 'and nothing happens');
select refuses('select replay(0)', 'OR405', 'dead letter 0', 'an unknown one');
select refuses('select replay(null)', 'OR405', 'null', 'none');
select set_config('orchestration.actor', '', true);

-- a dead letter does not count as seen; what came in meanwhile does
select is(report('{"service": "airflow", "process": "p_new", "status": "SUCCESS", "event_id": "e2"}'), null, 'another unknown one');
select given_task('new');
create temp table again as select report('{"service": "airflow", "process": "p_new", "status": "SUCCESS", "event_id": "e2"}') as id;
select is(task_of((select id from again)), 'new', 'sent again by its tool, it is taken in');
select is(replay((select max(id) from dead_letter)), (select id from again), 'the replay then finds the same event');
select is((select count(*)::int from task_run where task_id = task_id('new')), 1, 'and does not double it');
select is((select replayed_by from dead_letter order by id desc limit 1), session_user::text, 'without actor: the database user');

-- unexpected: the replay opens the partial run
select is(say('b', 'SUCCESS', 'p'), null, 'work on a task that is a root nowhere, without an id of its own');
select is(letters(1), 'unexpected', 'is unexpected');
select is(task_of(replay((select max(id) from dead_letter))), 'b', 'replayed');
select is(pictures('g'), 'RUNNING | b SUCCESS | c DISPATCHED', 'it opens the partial run');
select is(say('b', 'SUCCESS', 'p2'), null, 'the next one is unexpected again');
select is(letters(1), 'unexpected', 'as ever');
select is(say('b', 'RUNNING', 'p3'), null, 'RUNNING likewise');
select refuses('select replay((select max(id) from dead_letter))', 'OR407', 'unexpected', 'and a RUNNING opens none when replayed');

-- bytes that are no event
insert into dead_letter (topic, partition, "offset", key, value, reason, detail) values ('etl_finished_tasks', 3, 7, '\x00', '\xff', 'error', 'unforeseen'), ('etl_finished_tasks', 3, 8, null, null, 'error', 'unforeseen');
select refuses('select replay((select max(id) from dead_letter where value is not null))', 'OR407', 'malformed.*UTF-8', 'no UTF-8');
select refuses('select replay((select max(id) from dead_letter))', 'OR407', 'malformed', 'a tombstone');
select is((select (key, value, reason, detail) from dead_letter where "offset" = 7), ('\x00'::bytea, '\xff'::bytea, 'error'::text, 'unforeseen'::text), 'both stay as they are');

-- an old RUNNING whose execution has gone on
select set_config('orchestration.clock', '2026-11-22T05:00:00Z', true);
select report('{"service": "airflow", "process": "p_slow", "status": "RUNNING", "run_key": "k"}'), report('{"service": "airflow", "process": "p_slow", "status": "RUNNING", "run_key": "k2"}');
select given_task('slow');
select set_config('orchestration.clock', '2026-11-22T05:10:00Z', true);
select say('slow', 'SUCCESS', 'k');
select refuses('select replay((select max(id) - 1 from dead_letter))', 'OR406', 'RUNNING', 'an end of its task and key came since');
select is((select count(*)::int from task_run where task_id = task_id('slow')), 1, 'nothing is made of it');
select is(task_of(replay((select max(id) from dead_letter))), 'slow', 'of its own key nothing came: it runs');
select is((select status from task_run where task_id = task_id('slow') and run_key = 'k2'), 'RUNNING', 'in the state it reported');
insert into dead_letter (topic, value, reason, detail)
select 'etl_finished_tasks', convert_to(format('{"task_run_id": %s, "status": "RUNNING"}', (select id from done)), 'UTF8'), 'error', '-';
select refuses('select replay((select max(id) from dead_letter))', 'OR406', 'gone on', 'RUNNING of a task run that has ended');
insert into task_run (task_id) values (task_id('slow'));
insert into dead_letter (topic, value, reason, detail, created_at)
select 'etl_finished_tasks', convert_to('{"service": "airflow", "process": "p_slow", "status": "RUNNING"}', 'UTF8'), 'error', '-', '2026-11-22T04:00:00Z';
select refuses('select replay((select max(id) from dead_letter))', 'OR406', 'gone on', 'RUNNING that would be taken for an execution younger than itself');

-- many
select is((select count(*)::int from dead_letter where replayed_at is null), 7, 'open ones');
create temp table many as select * from replay_all();
select is((select (replayed, refused, failing) from many), (1, 2, 4), 'one is replayed, two have gone on, four still cannot be applied');
select is((select last_id from many), (select max(id) from dead_letter), 'up to the last');
select is((select string_agg(reason, ', ' order by id) from dead_letter where replayed_at is null and value is distinct from '\x'), 'unexpected, malformed, malformed, ambiguous, error, error', 'who stays open bears its present reason');
select is((select last_id from replay_all(after => (select last_id from many))), null, 'none is left');
select is((select (replayed, refused, failing) from replay_all(reason => 'malformed')), (0, 0, 2), 'by reason');
select is((select (replayed, refused, failing) from replay_all(topic => 'sql')), (0, 0, 2), 'by topic');
select is((select (replayed, refused, failing) from replay_all(batch => 1)), (0, 0, 1), 'by portions');
select refuses('select * from replay_all(batch => 0)', 'OR501', 'batch 0', 'a portion of none');
