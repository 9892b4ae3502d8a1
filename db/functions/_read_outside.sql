create or replace function orchestration._read_outside(p_version_id bigint) returns bigint[]
language plpgsql stable
set search_path = ''
as $$
-- Purpose: the tasks whose results the config templates of a part of a version read, and that do not come before their readers in the part:
--          there another run stands in for them.
-- Returns: their ids; none for the version of a whole graph.
-- Calls:   _is_ancestor.
begin
    if not exists (select from orchestration.task_placeholder h where h.upstream <> '{}') then
        return '{}'::bigint[];
    end if;
    return array(
        select distinct a.id
        from orchestration.graph_version gv
        join orchestration.graph_version_task v on v.version_id = gv.id
        join orchestration.task_placeholder h on h.task_id = v.task_id and h.upstream <> '{}'
        cross join unnest(h.upstream) u(name)
        join orchestration.task a on a.name = u.name
        where gv.id = p_version_id and gv.base_id is not null
          and orchestration._is_ancestor(gv.base_id, v.task_id, a.id) and not orchestration._is_ancestor(gv.id, v.task_id, a.id)
        order by 1);
end
$$;
comment on function orchestration._read_outside(bigint) is 'Tasks outside a part of a version whose results its config templates read.';
