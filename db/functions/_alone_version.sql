create or replace function orchestration._alone_version(p_previous bigint, p_next bigint) returns bigint
language plpgsql
set search_path = ''
as $$
-- @plpgsql_check_options: extra_warnings = off
-- Purpose: the shape of a chain that belongs to no graph: its two tasks. Made once.
-- Returns: the graph_version's id, locked for key share so that purge leaves it.
-- Writes:  graph_version, graph_version_task.
declare
    v_id bigint;
begin
    loop
        select v.id into v_id from orchestration.graph_version v
        where v.graph_id is null and v.base_id is null and v.from_task_ids = array[p_previous] and coalesce(v.through_task_id, 0) = p_next for key share;
        if found then
            return v_id;
        end if;
        insert into orchestration.graph_version (from_task_ids, through_task_id, task_count) values (array[p_previous], p_next, 2)
        on conflict do nothing returning id into v_id;
        if found then
            insert into orchestration.graph_version_task (version_id, task_id, predecessor_ids, successor_ids, successor_needs, predecessor_count, position)
            values (v_id, p_previous, '{}', array[p_next], array[1], 0, 1), (v_id, p_next, array[p_previous], '{}', '{}', 1, 2);
            return v_id;
        end if;
    end loop;
end
$$;
comment on function orchestration._alone_version(bigint, bigint) is 'The shape of a chain that belongs to no graph.';
