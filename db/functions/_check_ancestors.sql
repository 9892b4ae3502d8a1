create or replace function orchestration._check_ancestors(p_version_id bigint, p_task_ids bigint[] default null) returns void
language plpgsql
set search_path = ''
as $$
-- Purpose: refuse to start what would be FAILED for its config template: a task that reads the result of one that does not exist, or does not
--          come before it in the version (for a part: in the version it is cut from).
-- Parameters: the version; tasks: only these and what is downstream of them is looked at; null: all.
-- Raises:  OR105 naming both tasks and the place.
-- Calls:   _is_ancestor.
declare
    v_bad record;
begin
    if not exists (select from orchestration.task_placeholder h where h.upstream <> '{}') then
        return;
    end if;
    with recursive scope(task_id) as (
        select x from unnest(p_task_ids) x
        union
        select s.task_id from scope c
        cross join lateral (select x.successor_ids from orchestration.graph_version_task x where x.version_id = p_version_id and x.task_id = c.task_id offset 0) v
        cross join unnest(v.successor_ids) s(task_id)
    )
    select k.task_name, h.place, u.name, a.id is not null as known, g.name as graph into v_bad
    from orchestration.graph_version gv
    join orchestration.graph_version_task v on v.version_id = gv.id
    join orchestration.task_placeholder h on h.task_id = v.task_id and h.upstream <> '{}'
    cross join unnest(h.upstream) u(name)
    join orchestration.task_card k on k.task_id = v.task_id
    left join orchestration.task a on a.name = u.name
    left join orchestration.graph g on g.id = gv.graph_id
    where gv.id = p_version_id and (p_task_ids is null or v.task_id in (select c.task_id from scope c))
      and (a.id is null or not orchestration._is_ancestor(coalesce(gv.base_id, gv.id), v.task_id, a.id))
    order by v.position, h.n limit 1;
    if found then
        perform orchestration._refuse('OR105', format('the config template of task %s reads the result of task %s at %s, which %s', to_json(v_bad.task_name), to_json(v_bad.name), v_bad.place,
                case when v_bad.known then 'does not come before it' || coalesce(' in graph ' || to_json(v_bad.graph)::text, ' in its chain') else 'does not exist' end),
            case when v_bad.graph is null then 'Correct the template, or launch the task in its graph.'
                 else format('Correct the template or the chains; all that is wrong: select * from orchestration.check_graph(%L).', v_bad.graph) end);
    end if;
end
$$;
comment on function orchestration._check_ancestors(bigint, bigint[]) is 'Refuses a version whose config templates read what does not come before.';
