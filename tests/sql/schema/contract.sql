-- SPEC 2 and 6: tables with the columns that matter, functions with the argument names that are contract, comments on everything.
select plan(37);

select is((select string_agg(w, ', ') from unnest(t.columns) w where not exists (select from information_schema.columns c where c.table_schema = 'orchestration' and c.table_name = t.name and c.column_name = w)), null, t.name || ' has its columns')
from (values
    ('service', array['id', 'name', 'dispatch_topic', 'echoes_ids', 'corrections', 'archived', 'created_at', 'updated_at']),
    ('process', array['id', 'service_id', 'uid', 'archived', 'created_at', 'updated_at']),
    ('task', array['id', 'process_id', 'name', 'config_template', 'timeout', 'ack_timeout', 'max_attempts', 'retry_delay', 'archived', 'created_at', 'updated_at']),
    ('chain', array['id', 'previous_task_id', 'next_task_id', 'created_at', 'updated_at']),
    ('graph', array['id', 'name', 'owner', 'labels', 'paused', 'repeat_policy', 'timeout', 'archived', 'created_at', 'updated_at']),
    ('graph_chain', array['graph_id', 'chain_id', 'created_at', 'updated_at']),
    ('graph_run', array['id', 'graph_id', 'run_key', 'params', 'status', 'reason', 'created_at', 'updated_at', 'finished_at']),
    ('task_run', array['id', 'task_id', 'run_key', 'attempt', 'status', 'reason', 'config', 'result', 'external_id', 'dispatched_at', 'started_at', 'finished_at', 'created_at', 'updated_at']),
    ('graph_run_task_run', array['graph_run_id', 'task_run_id']),
    ('task_run_event', array['id', 'at', 'task_run_id', 'graph_run_id', 'old_status', 'new_status', 'source', 'actor', 'db_user', 'matched_by', 'reason', 'detail']),
    ('dead_letter', array['id', 'topic', 'partition', 'offset', 'key', 'value', 'reason', 'detail', 'created_at', 'replayed_at'])) t(name, columns);
select is((select string_agg(format('%s.%s %s', table_name, column_name, data_type), ', ') from information_schema.columns where table_schema = 'orchestration' and table_name !~ '^(_yoyo|yoyo)' and data_type = 'timestamp without time zone'), null, 'all times are timestamptz');
select is((select string_agg(format('%s.%s %s', table_name, column_name, data_type), ', ') from information_schema.columns where table_schema = 'orchestration' and table_name !~ '^(_yoyo|yoyo)' and column_name ~ '(^|_)id$'
             and data_type not in ('bigint') and (table_name, column_name) not in (('installation', 'id'), ('task_run', 'external_id'), ('external_execution', 'external_id'), ('event_seen', 'event_id'), ('kafka_topic', 'cluster_id'), ('kafka_topic', 'topic_id'))
             and table_name !~ '^event_seen_'), null, 'all keys are bigint');
select is((select string_agg(relname::text, ', ' order by relname) from pg_class where relnamespace = 'orchestration'::regnamespace and relkind in ('r', 'p') and not relispartition and obj_description(oid, 'pg_class') is null), null, 'every table has a comment');
select is((select string_agg(oid::regprocedure::text, ', ') from pg_proc where pronamespace = 'orchestration'::regnamespace and obj_description(oid, 'pg_proc') is null), null, 'every function has a comment');
select is((select string_agg(c.relname::text, ', ') from pg_class c where c.relnamespace = 'orchestration'::regnamespace and c.relkind = 'p' and c.relname not in ('task_run_event', 'event_seen')), null, 'partitioned: history and event ids');
select is((select count(*)::int from pg_class c where c.relnamespace = 'orchestration'::regnamespace and c.relkind = 'p'), 2, 'both');
select is((select string_agg(conname::text, ', ') from pg_constraint where contype = 'f' and confrelid in ('task_run_event'::regclass, 'event_seen'::regclass)), null, 'no foreign key points at them');
select is((select string_agg(oid::regprocedure::text, ', ') from pg_proc where pronamespace = 'orchestration'::regnamespace and 'enable_seqscan=off' = any (proconfig) and not 'jit=off' = any (proconfig)), null,
          'where sequential scans are priced out of the plans, JIT is off too: by that price it would compile every one, seconds for a DBA''s statement');

select is((select pg_get_function_arguments(p.oid) from pg_proc p where p.pronamespace = 'orchestration'::regnamespace and p.proname = f.name), f.arguments, f.name || '(' || f.arguments || ')')
from (values ('pause_graph', 'graph text'), ('resume_graph', 'graph text, skip boolean DEFAULT false'), ('report', 'event jsonb'), ('launch_graph', 'graph text, params jsonb DEFAULT ''{}''::jsonb, run_key text DEFAULT NULL::text'), ('start_service', ''), ('stop_service', ''),
             ('purge', 'older_than interval, batch integer DEFAULT 1000'), ('new_installation', ''), ('reap_stale_runs', 'OUT outcome text, OUT horizon timestamp with time zone, OUT retries integer, OUT resends integer, OUT timeouts integer, OUT graph_timeouts integer, OUT problem text'),
             ('register_bridge', 'host text, pid integer, version text'), ('heartbeat', 'instance bigint, partitions integer[], lags bigint[], ends bigint[] DEFAULT ''{}''::bigint[], asked_at timestamp with time zone DEFAULT NULL::timestamp with time zone, known integer[] DEFAULT ''{}''::integer[], OUT state text, OUT at timestamp with time zone'), ('retire_bridge', 'instance bigint'),
             ('claim_partitions', 'instance bigint, topic text, cluster_id text, topic_id text, partitions integer[]'),
             ('seed_offsets', 'topic text, cluster_id text, topic_id text, partitions integer[], offsets bigint[]'),
             ('take_dispatches', 'instance bigint, max_rows integer'), ('confirm_dispatches', 'instance bigint, task_run_ids bigint[]'),
             ('release_dispatches', 'instance bigint, task_run_ids bigint[]')) f(name, arguments);
select is((select string_agg(x.proname::text, ', ') from (select p.proname from pg_proc p where p.pronamespace = 'orchestration'::regnamespace group by p.proname having count(*) > 1) x), null, 'no function is overloaded');
