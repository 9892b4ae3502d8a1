create or replace function orchestration.launch_tasks(graph text, tasks text[], params jsonb default '{}', run_key text default null) returns bigint
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a partial run: the given tasks of a graph and all that is downstream of them. Given tasks start at once, whatever leads to them
--          (also one that is downstream of another given one); those that only report are awaited. For predecessors of later tasks that lie
--          outside their latest success counts, of the same run key first.
-- Parameters: graph name; task names; params, a JSON object; run_key.
-- Returns: the graph run's id.
-- Raises:  OR101, OR105 template, OR108, OR401 unknown graph or task, OR402 archived or empty, OR403 a predecessor outside never succeeded, OR404 a task
--          that is not in the graph, OR408 paused, OR501 no tasks.
-- Calls:   _launchable, _start_tasks, _partial_version, _open_part.
declare
    v_graph_id bigint;
    v_head bigint;
    v_from bigint[];
begin
    select g.id into v_graph_id from orchestration.graph g where g.name = launch_tasks.graph;
    if not found then
        perform orchestration._refuse('OR401', format('graph %s does not exist', coalesce(to_json(launch_tasks.graph)::text, 'null')), 'List the graphs: select id, name from orchestration.graph.');
    end if;
    if cardinality(launch_tasks.tasks) is null or cardinality(launch_tasks.tasks) = 0 then
        perform orchestration._refuse('OR501', format('launch_tasks of graph %s was called without tasks', to_json(launch_tasks.graph)), 'Name the tasks to start from, or use launch_graph.');
    end if;
    v_head := orchestration._launchable(v_graph_id, coalesce(launch_tasks.params, '{}'), launch_tasks.run_key);
    v_from := orchestration._start_tasks(v_head, launch_tasks.tasks);
    return orchestration._open_part(v_graph_id, orchestration._partial_version(v_head, v_from), coalesce(launch_tasks.params, '{}'), launch_tasks.run_key,
        (select 'partial, from task ' || string_agg(k.task_name, ', ' order by k.task_name) from orchestration.task_card k where k.task_id = any (v_from)));
end
$$;
comment on function orchestration.launch_tasks(text, text[], jsonb, text) is 'Runs some tasks of a graph and all that is downstream of them; answers the graph run''s id.';
