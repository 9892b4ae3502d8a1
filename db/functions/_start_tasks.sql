create or replace function orchestration._start_tasks(p_version_id bigint, p_names text[]) returns bigint[]
language plpgsql stable
set search_path = ''
as $$
-- Purpose: the tasks of a version by name, each once. Raises: OR401 no such task, OR404 it is not in the version.
declare
    v_bad record;
begin
    select n.name, k.task_id, k.archived, g.name as graph, v.base_id into v_bad
    from unnest(p_names) with ordinality n(name, i)
    cross join orchestration.graph_version v
    left join orchestration.graph g on g.id = v.graph_id
    left join orchestration.task_card k on k.task_name = n.name
    left join orchestration.graph_version_task t on t.version_id = v.id and t.task_id = k.task_id
    where v.id = p_version_id and t.task_id is null
    order by n.i limit 1;
    if found then
        if v_bad.task_id is null then
            perform orchestration._refuse('OR401', format('task %s does not exist', coalesce(to_json(v_bad.name)::text, 'null')), 'List the tasks: select id, name from orchestration.task.');
        end if;
        perform orchestration._refuse('OR404', format('task %s %s not %s', to_json(v_bad.name), case when v_bad.archived then 'is archived and so' else 'is' end,
                                                      case when v_bad.graph is null then 'in the chain of this run' when v_bad.base_id is not null then 'in the part of graph ' || to_json(v_bad.graph) || ' that this run goes through'
                                                           else 'in graph ' || to_json(v_bad.graph) end),
            case when v_bad.archived then 'Set archived = false on the task (its process, its service) first.' else 'Name tasks that the graph''s chains join now.' end);
    end if;
    return array(select distinct k.task_id from orchestration.task_card k where k.task_name = any (p_names) order by 1);
end
$$;
comment on function orchestration._start_tasks(bigint, text[]) is 'Tasks of a version by name.';
