create or replace function orchestration._render(p_run_ids bigint[], p_task_ids bigint[], p_attempts integer[], p_run_keys text[])
returns table (i integer, config jsonb, problem text)
language plpgsql stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
-- Purpose: config templates with placeholders, filled in for dispatches (SPEC 4.7), set-based. The context holds what is fixed and the
--          results of those tasks alone that the template reads. Values are put between the pieces of JSON text that the template was cut
--          into, as JSON: whatever they hold, they stay data.
-- Parameters: element by element: graph run (null: a task run in no graph), a task with placeholders, attempt, run key.
-- Returns: one row an element: the config; or what is wrong, naming task, place and path.
-- Calls:   _is_ancestor, _read_result, _render_gap.
begin
    return query
    with item as (
        select a.i::integer as i, a.run_id, a.task_id, coalesce(v.base_id, r.version_id) as version_id, k.task_name, coalesce(r.run_key, a.run_key) as run_key,
               jsonb_build_object(
                   'run', jsonb_build_object('id', a.run_id, 'run_key', coalesce(r.run_key, a.run_key),
                                             'created_at', to_char(coalesce(r.created_at, orchestration._now()) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')),
                   'graph', jsonb_build_object('id', g.id, 'name', g.name),
                   'task', jsonb_build_object('id', a.task_id, 'name', k.task_name, 'service', k.service_name, 'process', k.process_uid),
                   'params', coalesce(r.params, '{}'), 'attempt', a.attempt) as fixed
        from unnest(p_run_ids, p_task_ids, p_attempts, p_run_keys) with ordinality a(run_id, task_id, attempt, run_key, i)
        cross join lateral (select x.task_name, x.service_name, x.process_uid from orchestration.task_card x where x.task_id = a.task_id offset 0) k
        left join lateral (select x.run_key, x.created_at, x.params, x.graph_id, x.version_id from orchestration.graph_run x where x.id = a.run_id offset 0) r on true
        left join lateral (select x.base_id from orchestration.graph_version x where x.id = r.version_id offset 0) v on true
        left join lateral (select x.id, x.name from orchestration.graph x where x.id = r.graph_id offset 0) g on true
    ), known as materialized (
        select m.i, m.run_id, m.task_id, m.version_id, m.task_name, m.run_key, m.fixed || jsonb_build_object('upstream', coalesce(u.results, '{}')) as context
        from item m
        left join lateral (
            select jsonb_object_agg(x.name, jsonb_build_object('result', t.result)) as results
            from (select distinct unnest(h.upstream) as name from orchestration.task_placeholder h where h.task_id = m.task_id and h.upstream <> '{}') x
            cross join lateral (select y.id from orchestration.task y where y.name = x.name offset 0) a
            cross join lateral (select y.result from orchestration.task_run y
                                where orchestration._is_ancestor(m.version_id, m.task_id, a.id) and y.id = orchestration._read_result(m.run_id, m.task_id, a.id, m.run_key) offset 0) t
            where t.result is not null) u on true
    ), looked_up as (
        select c.i, c.run_id, c.task_id, c.version_id, c.task_name, c.run_key, h.n, h.place, h.piece, h.path, h.spelled, h.whole, h.upstream,
               jsonb_path_query_first(c.context, h.path, '{}', true) as value
        from known c
        cross join lateral (select x.* from orchestration.task_placeholder x where x.task_id = c.task_id offset 0) h
    ), put as (
        select l.*,
               l.piece || case when l.path is null then ''
                               when l.whole then l.value::text
                               when jsonb_typeof(l.value) in ('object', 'array') then orchestration._json_inside(l.value::text)
                               else orchestration._json_inside(coalesce(l.value #>> '{}', 'null')) end as part
        from looked_up l
    ), sized as (
        select p.*, sum(octet_length(p.part)) over (partition by p.i) as size from put p
    )
    select s.i,
           case when bool_and(s.part is not null) and max(s.size) <= 1048576 then string_agg(case when s.size <= 1048576 then s.part end, '' order by s.n)::jsonb end,
           case when bool_or(s.part is null)
                then (array_agg('task ' || s.task_name || ': at ' || s.place || ' {{ ' || s.spelled || ' }} finds nothing'
                                || orchestration._render_gap(s.run_id, s.version_id, s.task_id, s.run_key, s.upstream) order by s.n) filter (where s.part is null))[1]
                when max(s.size) > 1048576 then 'task ' || min(s.task_name) || ': the config has ' || max(s.size) || ' bytes; the limit of a dispatch is 1 MiB' end
    from sized s
    group by s.i;
end
$$;
comment on function orchestration._render(bigint[], bigint[], integer[], text[]) is 'Fills in config templates.';
