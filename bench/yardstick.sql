-- The rows that the engine writes for a batch of S1 events (6 -> 7 -> [8, 9]; one of four opens a run), by bare set-based statements.
-- :roots new runs, :ends task runs that end, :born task runs that start, :runs their runs, :touched runs that count down.
-- name: confirm
delete from yardstick.dispatch where task_run_id = any(%(ends)s)
-- name: end
update yardstick.task_run t set previous_status = t.status, status = 'SUCCESS', finished_at = now(), matched_by = 'task_run_id', accepted_at = now(), result = '{"rows": 123}', updated_at = now() where id = any(%(ends)s)
-- name: history_end
insert into yardstick.task_run_event (at, task_run_id, graph_run_id, old_status, new_status, source, matched_by) select now(), i, i, 'DISPATCHED', 'SUCCESS', 'event', 'task_run_id' from unnest(%(ends)s::bigint[]) i
-- name: count
update yardstick.graph_run set open_count = open_count - 1, updated_at = now() where id = any(%(touched)s)
-- name: open
insert into yardstick.graph_run (id, graph_id, version_id, open_count, status, opened_by) select i, 1, 1, 1000000, 'RUNNING', 'event' from unnest(%(roots)s::bigint[]) i
-- name: history_run
insert into yardstick.task_run_event (at, graph_run_id, new_status, source) select now(), i, 'RUNNING', 'event' from unnest(%(roots)s::bigint[] || %(roots)s::bigint[]) i
-- name: start
insert into yardstick.task_run (id, task_id, graph_run_id, status, config, dispatched_at, due_at) select i, 7, i, 'DISPATCHED', '{}', now(), now() + interval '5 minutes' from unnest(%(born)s::bigint[]) i
-- name: start_root
insert into yardstick.task_run (id, task_id, status, finished_at, matched_by) select i, 6, 'SUCCESS', now(), 'started' from unnest(%(roots)s::bigint[]) i
-- name: link
insert into yardstick.graph_run_task_run (graph_run_id, task_run_id, task_id) select i, i, i from unnest(%(born)s::bigint[] || %(roots)s::bigint[]) i
-- name: history_start
insert into yardstick.task_run_event (at, task_run_id, graph_run_id, new_status, source) select now(), i, i, 'DISPATCHED', 'event' from unnest(%(born)s::bigint[] || %(roots)s::bigint[]) i
-- name: dispatch
insert into yardstick.dispatch (task_run_id, bridge_id, topic, key, value) select i, 1, 'airflow_tasks', i::text, '{"v":1,"type":"start","installation":"a4ccd352-9b18-4eec-8c05-2ded29ad0b46","task_run_id":4000000,"attempt":1,"graph_run_ids":[1000000],"graph":"load","run_key":null,"service":"airflow","process":"dag_7","task":"7","config":{},"created_at":"2026-11-23T22:36:01.095732Z"}' from unnest(%(born)s::bigint[]) i
-- name: seen
insert into yardstick.event_seen (at, process_id, event_hash, event_id, task_run_id, status) select now(), 1, hashtextextended(i::text, 1), i::text, i, 'SUCCESS' from unnest(%(ends)s::bigint[] || %(roots)s::bigint[]) i
