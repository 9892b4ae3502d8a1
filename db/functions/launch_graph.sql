create or replace function orchestration.launch_graph(graph text, params jsonb default '{}', run_key text default null) returns bigint
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: run a whole graph by hand: its roots are dispatched where their service can be sent to, else awaited.
-- Parameters: graph name; params, a JSON object; run_key, usually the business date.
-- Returns: the graph run's id.
-- Raises:  OR105 template, OR401 unknown graph, OR402 archived or empty, OR408 paused, OR101 run key, OR108 params.
declare
    v_id bigint;
begin
    insert into orchestration.graph_run (graph_id, params, run_key)
    select g.id, coalesce(launch_graph.params, '{}'), launch_graph.run_key from orchestration.graph g where g.name = launch_graph.graph
    returning id into v_id;
    if v_id is null then
        perform orchestration._refuse('OR401', format('graph %s does not exist', coalesce(to_json(launch_graph.graph)::text, 'null')), 'List the graphs: select id, name from orchestration.graph.');
    end if;
    return v_id;
end
$$;
comment on function orchestration.launch_graph(text, jsonb, text) is 'Runs a whole graph by hand; answers the graph run''s id.';
