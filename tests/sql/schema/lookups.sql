-- A bridge's plans are made once, often while tables are empty and just analyzed. A look-up must then have no choice but its own index.
select plan(22);

-- the rule: the first column of an index stands in the rear of no other that would serve a look-up by it
select is((select string_agg(format('%s serves %I of %s', b.indexrelid::regclass, c.attname, a.indexrelid::regclass), E'\n' order by 1)
           from pg_index a
           join pg_index b on b.indrelid = a.indrelid and b.indexrelid <> a.indexrelid and b.indpred is null
           join pg_class t on t.oid = a.indrelid and not t.relispartition and t.relnamespace = 'orchestration'::regnamespace
           join pg_attribute c on c.attrelid = a.indrelid and c.attnum = a.indkey[0]
           -- (tables of definitions do not shrink to nothing beneath a session that lives)
           where t.relname not in ('chain', 'graph_chain') and (a.indpred is null or pg_get_expr(a.indpred, a.indrelid) ~ '^\(\w+ IS NOT NULL\)$') and a.indkey[0] = any (b.indkey[1:b.indnkeyatts - 1]) and a.indkey[0] <> b.indkey[0]), null, 'no index serves a look-up that is another one''s');
select is((select string_agg(format('%s: %s', p.proname, m[1]), E'\n') from pg_proc p
           cross join lateral regexp_matches(p.prosrc, '(\m\w+\.id = [^,;]*? and \w+\.status (?:= |in \()''(?:QUEUED|DISPATCHED)[^\n]*)', 'g') m
           where p.pronamespace = 'orchestration'::regnamespace), null, 'what is found by its id is not asked for a status that a partial index serves');

-- what the planner makes of it
create function pg_temp.index_of(what text, condition text) returns text language plpgsql as $$
-- The indexes that a generic plan uses.
declare
    v_line text; v_lines text := '';
begin
    execute format('prepare lookup(bigint, bigint[], text) as select from orchestration.%s x where %s', what, condition);
    for v_line in execute 'explain (costs off) execute lookup(1, ''{1}'', ''k'')' loop
        v_lines := v_lines || v_line || E'\n';
    end loop;
    deallocate lookup;
    return (select string_agg(coalesce(m[1], m[2]), ' ') from regexp_matches(v_lines, 'using (\w+)|Bitmap Index Scan on (\w+)', 'g') m);
end
$$;
set local enable_seqscan = off;
set local plan_cache_mode = force_generic_plan;
analyze;
select is(pg_temp.index_of(t.what, t.condition), t.index, format('%s where %s', t.what, t.condition))
from (values ('task_run', 'x.id = $1', 'task_run_pkey'),
             ('task_run', 'x.id = any ($2)', 'task_run_pkey'),
             ('task_run', 'x.id = any ($2) and x.finished_at is null', 'task_run_pkey'),
             ('task_run', 'x.id = $1 and x.status is not distinct from ''QUEUED''', 'task_run_pkey'),
             ('task_run', 'x.task_id = $1', 'task_run_by_task'),
             ('graph_run', 'x.id = $1', 'graph_run_pkey'),
             ('graph_run', 'x.id = any ($2)', 'graph_run_pkey'),
             ('graph_run', 'x.id = any ($2) and x.status = ''RUNNING''', 'graph_run_pkey'),
             ('graph_run', 'x.graph_id = $1', 'graph_run_by_graph'),
             ('graph_run', 'x.graph_id is null and x.version_id = $1', 'graph_run_alone'),
             ('graph_run_task_run', 'x.task_run_id = $1', 'graph_run_task_run_by_task_run'),
             ('graph_run_task_run', 'x.task_run_id = any ($2)', 'graph_run_task_run_by_task_run'),
             ('graph_run_task_run', 'x.graph_run_id = $1 and x.task_id = $1', 'graph_run_task_run_place_is_unique'),
             ('awaited_root', 'x.graph_run_id = any ($2)', 'awaited_root_by_run'),
             ('awaited_root', 'x.task_id = $1 and x.graph_id = $1 and x.run_key = $3', 'awaited_root_by_task'),
             ('graph_root', 'x.task_id = $1', 'graph_root_by_task'),
             ('graph_root', 'x.graph_id = $1', 'graph_root_by_graph'),
             ('graph_version', 'x.id = $1', 'graph_version_pkey'),
             ('chain', 'x.previous_task_id = $1', 'chain_pair_is_unique')) t(what, condition, index);

-- and what the functions then cost: plans made over empty tables, used over full ones
create function pg_temp.blocks(event jsonb) returns bigint language plpgsql as $$
-- How many blocks the database touches to take in an event.
declare
    v_plan jsonb;
begin
    execute format('explain (analyze, buffers, format json) select orchestration.report(%L)', event) into v_plan;
    return (v_plan #>> '{0,Plan,Shared Hit Blocks}')::bigint + (v_plan #>> '{0,Plan,Shared Read Blocks}')::bigint;
end
$$;
select given_acceptance();
analyze;
select finish_all('integration') from (select say('1', 'SUCCESS', 'k' || i), say('5', 'SUCCESS', 'k' || i) from generate_series(1, 3) i offset 0) x;
create temp table cost as select pg_temp.blocks('{"service": "nifi", "process": "p_1", "status": "SUCCESS", "run_key": "before"}') as root,
    pg_temp.blocks(jsonb_build_object('task_run_id', at(run('integration', -1), '2'), 'status', 'SUCCESS')) as next;
set local session_replication_role = replica;
insert into graph_run (id, graph_id, version_id, run_key, status, finished_at, opened_by)
select 1000000 + i, graph_id('integration'), (select version_id from graph_head where graph_id = graph_id('integration')), 'old' || i, 'SUCCESS', now(), 'event' from generate_series(1, 40000) i;
insert into task_run (id, task_id, graph_run_id, run_key, status, finished_at)
select 1000000 + i, task_id('2'), 1000000 + i, 'old' || i, 'SUCCESS', now() from generate_series(1, 40000) i;
insert into graph_run_task_run (graph_run_id, task_run_id, task_id) select 1000000 + i, 1000000 + i, task_id('2') from generate_series(1, 40000) i;
insert into awaited_root (graph_run_id, task_id, graph_id, run_key, by_event) select 1000000 + i, task_id('5'), graph_id('integration'), 'old' || i, true from generate_series(1, 40000) i;
set local session_replication_role = origin;
create temp table now_ as select pg_temp.blocks('{"service": "nifi", "process": "p_1", "status": "SUCCESS", "run_key": "after"}') as root,
    pg_temp.blocks(jsonb_build_object('task_run_id', at((select id from graph_run where run_key = 'after'), '2'), 'status', 'SUCCESS')) as next;
select cmp_ok((select n.next from now_ n), '<', (select 2 * c.next from cost c), 'the end of a task run costs the same over full tables');
