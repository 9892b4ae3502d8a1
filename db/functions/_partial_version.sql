create or replace function orchestration._partial_version(p_version_id bigint, p_task_ids bigint[], p_through bigint default null) returns bigint
language plpgsql
set search_path = ''
set enable_hashjoin = on
as $$
-- Purpose: the part of a version that a partial run goes through: the given tasks and all that is downstream of them, with the chains
--          between. With p_through (a run from one chain) of the given tasks' successors only this one and what is downstream of it.
--          Made once per version and set of tasks.
-- Returns: the graph_version's id, locked for key share so that purge leaves it.
-- Writes:  graph_version, graph_version_task.
declare
    v_from bigint[] := array(select distinct x from unnest(p_task_ids) x order by 1);
    v_id bigint;
    v_count integer;
begin
    select v.id into v_id from orchestration.graph_version v where v.base_id = p_version_id and v.from_task_ids = v_from and coalesce(v.through_task_id, 0) = coalesce(p_through, 0) for key share;
    if found then
        return v_id;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('orchestration.partial', p_version_id));
    select v.id into v_id from orchestration.graph_version v where v.base_id = p_version_id and v.from_task_ids = v_from and coalesce(v.through_task_id, 0) = coalesce(p_through, 0) for key share;
    if found then
        return v_id;
    end if;
    insert into orchestration.graph_version (graph_id, base_id, from_task_ids, through_task_id, task_count)
    select v.graph_id, v.id, v_from, p_through, 0 from orchestration.graph_version v where v.id = p_version_id
    returning id into v_id;
    with recursive scope(task_id) as (
        select x from unnest(v_from || p_through) x where x is not null
        union
        select s.task_id from scope c
        join orchestration.graph_version_task v on v.version_id = p_version_id and v.task_id = c.task_id
        cross join unnest(v.successor_ids) s(task_id)
        where p_through is null or not c.task_id = any (v_from)
    ), inner_edge as (
        -- given tasks start unconditionally: what leads to them does not count
        select v.task_id as p, s.task_id as n
        from scope c
        join orchestration.graph_version_task v on v.version_id = p_version_id and v.task_id = c.task_id
        cross join unnest(v.successor_ids) s(task_id)
        where not s.task_id = any (v_from) and exists (select from scope x where x.task_id = s.task_id)
    ), incoming as (
        select n as id, array_agg(p order by p) as ids, count(*)::integer as needs from inner_edge group by n
    ), outgoing as (
        select e.p as id, array_agg(e.n order by e.n) as ids, array_agg(i.needs order by e.n) as needs from inner_edge e join incoming i on i.id = e.n group by e.p
    )
    insert into orchestration.graph_version_task (version_id, task_id, predecessor_ids, successor_ids, successor_needs, predecessor_count, position)
    select v_id, c.task_id, coalesce(i.ids, '{}'), coalesce(o.ids, '{}'), coalesce(o.needs, '{}'), coalesce(i.needs, 0), b.position
    from scope c join orchestration.graph_version_task b on b.version_id = p_version_id and b.task_id = c.task_id left join incoming i on i.id = c.task_id left join outgoing o on o.id = c.task_id;
    get diagnostics v_count = row_count;
    update orchestration.graph_version set task_count = v_count where id = v_id;
    return v_id;
end
$$;
comment on function orchestration._partial_version(bigint, bigint[], bigint) is 'The part of a version downstream of some tasks.';
