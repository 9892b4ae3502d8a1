-- SPEC 4.1 rule 6: leaving out any RUNNING event never changes an outcome, also where the graph is edited before the end comes.
select plan(16);

select given_graph('g', 'a -> b', 'c -> d'), given_graph('h', 'b -> c');
create temp table work as select say('c', 'RUNNING', 'm') as id;
update graph set archived = true where name = 'g';
select is(say('c', 'SUCCESS'), null, 'c is a root nowhere any more, and its end is taken in nowhere');
select is(letters(), 'unexpected', 'it is a dead letter');
select is(state((select id from work)), 'RUNNING', 'what was said before stays');
select is(tell((select id from work), 'FAILED'), null, 'with the id of its task run too');
select is(letters(), 'unexpected, unexpected', 'a dead letter');
select is((select array_agg(x order by x) from feed(given_topic(), '{"service": "airflow", "process": "p_b", "status": "RUNNING", "external_id": "b1"}',
                               jsonb_build_object('task_run_id', (select id from work), 'status', 'SUCCESS'),
                               '{"service": "airflow", "process": "p_c", "status": "SUCCESS", "run_key": "m"}',
                               '{"service": "airflow", "process": "p_b", "status": "SUCCESS", "external_id": "b1"}') x), array['c'], 'in a batch the event after it is applied');
select is(letters(2), 'unexpected, unexpected', 'and both ends are dead letters');
select is(letter_words(), 'task c is a root of no graph, nothing of it is in flight, and the event brings no external_id of its own', 'in words');
select is((select array_agg(status order by id) from task_run where task_id = task_id('c')), array['RUNNING', 'DISPATCHED'], 'what was started meanwhile is not touched');
-- replay: as if it had not been RUNNING before
select is(replay((select min(id) from dead_letter where convert_from(value, 'UTF8')::jsonb @> '{"status": "SUCCESS"}' and convert_from(value, 'UTF8')::jsonb ? 'task_run_id')), (select id from work), 'replayed, the end is that of the same execution');
select is((select state(id) from work), 'SUCCESS', 'it succeeded');
select is((select count(*)::int from graph_run r where r.opened_by = 'partial' and at(r.id, 'c') = (select id from work)), 1, 'in a partial run');
-- an archived task
select given_graph('k', 'e -> f');
create temp table other as select say('e', 'RUNNING') as id;
update task set archived = true where name = 'e';
select is(say('e', 'SUCCESS'), null, 'an archived task takes part in nothing');
select is(letters(1), 'unknown', 'its end is a dead letter');
update task set archived = false where name = 'e';
select is(replay((select max(id) from dead_letter)), (select id from other), 'and is replayed once it is back');
select is(pictures('k'), 'RUNNING | e SUCCESS | f DISPATCHED', 'then it joins');
