-- SPEC 3, dispatch: its fields, its key and topic; nothing for services that only report.
select plan(26);

select given_service('nifi2', 'nifi_tasks');
select given_task('t"x"', 'nifi2', 'proc/1', '{"table": "stg.sales", "limit": 10, "on": [true, null, 1.50], "words": "a \"b\" ü"}'), given_graph('integration "i"', 't"x" -> n');
select launch_graph('integration "i"', '{"p": 1}', '2026-11-22 "k"');
create temp table sent as select d.*, d.value::jsonb as v from dispatch d;
select is((select count(*)::int from sent), 1, 'one dispatch');
select is((select topic from sent), 'nifi_tasks', 'on the topic of its service');
select is((select key from sent), (select task_run_id::text from sent), 'keyed by task_run_id');
select is((select task_run_id from sent), at(run('integration "i"'), 't"x"'), 'of the root');
select is((select array_agg(k order by k) from sent, jsonb_object_keys(v) k),
          array['attempt', 'config', 'created_at', 'graph', 'graph_run_ids', 'installation', 'process', 'run_key', 'service', 'task', 'task_run_id', 'type', 'v'], 'all fields and no other');
select is((select v -> 'v' from sent), '1', 'v');
select is((select v ->> 'type' from sent), 'start', 'type');
select is((select v ->> 'installation' from sent), (select id::text from installation), 'installation');
select is((select v -> 'task_run_id' from sent), (select to_jsonb(task_run_id) from sent), 'task_run_id, a number');
select is((select v -> 'attempt' from sent), '1', 'attempt');
select is((select v -> 'graph_run_ids' from sent), jsonb_build_array(run('integration "i"')), 'graph_run_ids');
select is((select v ->> 'graph' from sent), 'integration "i"', 'graph, by name');
select is((select v ->> 'run_key' from sent), '2026-11-22 "k"', 'run_key');
select is((select v ->> 'service' from sent), 'nifi2', 'service');
select is((select v ->> 'process' from sent), 'proc/1', 'process');
select is((select v ->> 'task' from sent), 't"x"', 'task');
select is((select v -> 'config' from sent), '{"table": "stg.sales", "limit": 10, "on": [true, null, 1.50], "words": "a \"b\" ü"}', 'config');
select is((select config from task_run t, sent where t.id = sent.task_run_id), (select v -> 'config' from sent), 'which the task run keeps');
select matches((select v ->> 'created_at' from sent), '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$', 'created_at, UTC with Z');
select cmp_ok((select (v ->> 'created_at')::timestamptz from sent), '>', now() - interval '1 hour', 'just now');
select is((select bridge_id from sent), null, 'claimed by no bridge');

-- without key, in no graph
insert into task_run (task_id) values (task_id('n'));
create temp table alone as select d.value::jsonb as v from dispatch d join task_run t on t.id = d.task_run_id where t.task_id = task_id('n');
select is((select v -> 'graph_run_ids' from alone), '[]', 'alone: no graph run');
select is((select v -> 'graph' from alone), 'null', 'no graph');
select is((select v -> 'run_key' from alone), 'null', 'no run key');
select is((select v -> 'config' from alone), '{}', 'an empty config is an object');
-- a service that only reports gets nothing
select given_task('r', 'nifi'), given_graph('h', 'r -> s');
select launch_graph('h');
select is(pictures('h'), 'RUNNING | r awaited | s -', 'its root is awaited instead');
