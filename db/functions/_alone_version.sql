create or replace function orchestration._alone_version(p_from bigint, p_through bigint) returns bigint
language plpgsql
set search_path = ''
as $$
-- Purpose: the shape of a run of one chain that belongs to no graph: two tasks, or (p_through null) only the second. Made once.
-- Returns: the graph_version's id, locked for key share so that purge leaves it.
-- Writes:  graph_version, graph_version_task.
declare
    v_id bigint;
begin
    loop
        select v.id into v_id from orchestration.graph_version v
        where v.graph_id is null and v.from_task_ids = array[p_from] and coalesce(v.through_task_id, 0) = coalesce(p_through, 0) for key share;
        if found then
            return v_id;
        end if;
        insert into orchestration.graph_version (from_task_ids, through_task_id, task_count) values (array[p_from], p_through, case when p_through is null then 1 else 2 end)
        on conflict do nothing returning id into v_id;
        if found then
            insert into orchestration.graph_version_task (version_id, task_id, predecessor_ids, successor_ids, successor_needs, predecessor_count)
            select v_id, p_from, '{}', case when p_through is null then '{}' else array[p_through] end, case when p_through is null then '{}' else array[1] end, 0
            union all
            select v_id, p_through, array[p_from], '{}', '{}', 1 where p_through is not null;
            return v_id;
        end if;
    end loop;
end
$$;
comment on function orchestration._alone_version(bigint, bigint) is 'The shape of a run of one chain that belongs to no graph.';
