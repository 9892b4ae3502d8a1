create or replace function orchestration._render(p_run_ids bigint[], p_task_ids bigint[], p_attempts integer[], p_run_keys text[])
returns table (i integer, config jsonb, problem text)
language plpgsql stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_nestloop = off
set enable_hashjoin = on
set enable_mergejoin = off
as $$
-- Purpose: config templates with placeholders, filled in for dispatches (SPEC 4.7), set-based. The context holds what is fixed and the
--          results of those tasks alone that the template reads. Values are put between the pieces of JSON text that the template was cut
--          into, as JSON: whatever they hold, they stay data. What is the same for all runs of a version is looked up once a task.
-- Parameters: element by element: graph run (null: a task run in no graph), a task with placeholders, attempt, run key.
-- Returns: one row an element: the config; or what is wrong, naming task, place and path.
-- Calls:   _is_ancestor, _read_result, _render_gap.
begin
    return query
    with item as materialized (
        select a.i::integer as i, a.run_id, a.task_id, a.attempt, r.graph_id, r.version_id, coalesce(r.run_key, a.run_key) as run_key, r.params, r.created_at
        from unnest(p_run_ids, p_task_ids, p_attempts, p_run_keys) with ordinality a(run_id, task_id, attempt, run_key, i)
        left join lateral (select x.run_key, x.created_at, x.params, x.graph_id, x.version_id from orchestration.graph_run x where x.id = a.run_id offset 0) r on true
    ), kind as materialized (
        -- a task in a version: its pieces, and what comes before it of what they read
        select d.task_id, d.version_id, v.base_id, h.pieces, h.paths, h.wholes, h.reads_run, h.reads_params, b.names, b.ids, b.outside,
               jsonb_build_object('graph', jsonb_build_object('id', g.id, 'name', g.name),
                                  'task', jsonb_build_object('id', d.task_id, 'name', k.task_name, 'service', k.service_name, 'process', k.process_uid)) as fixed
        from (select distinct m.task_id, m.version_id, m.graph_id from item m) d
        cross join lateral (select x.task_name, x.service_name, x.process_uid from orchestration.task_card x where x.task_id = d.task_id offset 0) k
        cross join lateral (
            select array_agg(x.piece order by x.n) as pieces, array_agg(x.path order by x.n) as paths, array_agg(x.whole order by x.n) as wholes,
                   bool_or(strpos(x.path::text, '$."run"') > 0) as reads_run, bool_or(strpos(x.path::text, '$."params"') > 0) as reads_params
            from orchestration.task_placeholder x where x.task_id = d.task_id offset 0) h
        left join lateral (select x.base_id from orchestration.graph_version x where x.id = d.version_id offset 0) v on true
        left join lateral (select x.id, x.name from orchestration.graph x where x.id = d.graph_id offset 0) g on true
        left join lateral (
            select array_agg(a.name) as names, array_agg(a.id) as ids,
                   array_agg(v.base_id is not null and not orchestration._is_ancestor(d.version_id, d.task_id, a.id)) as outside
            from (select distinct unnest(x.upstream) as name from orchestration.task_placeholder x where x.task_id = d.task_id and x.upstream <> '{}') u
            cross join lateral (select y.id, y.name from orchestration.task y where y.name = u.name offset 0) a
            where orchestration._is_ancestor(coalesce(v.base_id, d.version_id), d.task_id, a.id)) b on true
    ), filled as (
        select m.i, m.run_id, m.task_id, m.run_key, coalesce(k.base_id, k.version_id) as version_id, p.config, p.size, p.gap
        from item m
        join kind k on k.task_id = m.task_id and k.version_id is not distinct from m.version_id
        cross join lateral (
            select k.fixed || jsonb_build_object(
                       'attempt', m.attempt,
                       'params', case when k.reads_params then coalesce(m.params, '{}') end,
                       'run', case when k.reads_run
                                   then jsonb_build_object('id', m.run_id, 'run_key', m.run_key,
                                            'created_at', orchestration._rfc3339(coalesce(m.created_at, orchestration._now()))) end,
                       'upstream', case when k.ids is not null then (
                           select jsonb_object_agg(u.name, jsonb_build_object('result', t.result))
                           from unnest(k.names, k.ids, k.outside) u(name, id, outside)
                           cross join lateral (
                               select case when u.outside then orchestration._read_result(m.run_id, m.task_id, u.id, m.run_key)
                                           else (select l.task_run_id from orchestration.graph_run_task_run l
                                                 where l.graph_run_id = m.run_id and l.task_id = u.id order by l.attempt desc limit 1) end as id offset 0) s
                           cross join lateral (select y.result from orchestration.task_run y where y.id = s.id and y.result is not null offset 0) t) end) as context
            offset 0) c
        cross join lateral (
            select string_agg(case when octet_length(z.part) <= 1048576 then z.part end, '') as config, sum(octet_length(z.part)) as size,
                   min(z.n) filter (where z.part is null) as gap
            from (
                select e.n,
                       e.piece || case when e.path is null then '' when e.whole then q.words when left(q.words, 1) = '"' then substr(q.words, 2, length(q.words) - 2)
                                       when left(q.words, 1) in ('{', '[') then orchestration._json_inside(q.words) else q.words end as part
                from unnest(k.pieces, k.paths, k.wholes) with ordinality e(piece, path, whole, n)
                cross join lateral (select jsonb_path_query_first(c.context, e.path, '{}', true)::text as words offset 0) q) z) p
    )
    select f.i,
           case when f.gap is null and f.size <= 1048576 then f.config::jsonb end,
           case when f.gap is not null
                then (select 'task ' || k.task_name || ': at ' || h.place || ' {{ ' || h.spelled || ' }} finds nothing'
                             || orchestration._render_gap(f.run_id, f.version_id, f.task_id, f.run_key, h.upstream)
                      from orchestration.task_placeholder h cross join orchestration.task_card k where h.task_id = f.task_id and h.n = f.gap and k.task_id = f.task_id)
                when f.size > 1048576
                then (select 'task ' || k.task_name || ': the config has ' || f.size || ' bytes; the limit of a dispatch is 1 MiB' from orchestration.task_card k where k.task_id = f.task_id) end
    from filled f;
end
$$;
comment on function orchestration._render(bigint[], bigint[], integer[], text[]) is 'Fills in config templates.';
