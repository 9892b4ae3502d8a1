create or replace function orchestration._launchable(p_graph_id bigint, p_params jsonb, p_run_key text) returns bigint
language plpgsql
set search_path = ''
as $$
-- Purpose: may somebody launch this graph now, with these params and this run key? Brings its head version up to date.
-- Returns: the head version's id.
-- Raises:  OR101 run key, OR108 params, OR206, OR401 unknown, OR402 archived or empty, OR408 paused.
-- Locks:   the graph's row, for key share: it is not deleted meanwhile.
-- Calls:   _compile.
declare
    v_graph record;
    v_version_id bigint;
begin
    perform orchestration._require_read_committed();
    perform orchestration._ensure_partitions();
    select g.id, g.name, g.archived, g.paused into v_graph from orchestration.graph g where g.id = p_graph_id for key share;
    if not found then
        perform orchestration._refuse('OR401', format('graph %s does not exist', coalesce(p_graph_id::text, 'null')), 'List the graphs: select id, name from orchestration.graph.');
    end if;
    if v_graph.archived then
        perform orchestration._refuse('OR402', format('graph %s is archived', to_json(v_graph.name)), 'Set archived = false on the graph first.');
    end if;
    if v_graph.paused then
        perform orchestration._refuse('OR408', format('graph %s is paused', to_json(v_graph.name)), 'Resume it first: select orchestration.resume_graph(…). Events, reruns and marks are taken while it is paused, and wait.');
    end if;
    if p_run_key is not null then
        perform orchestration._check_name('run key', p_run_key);
    end if;
    if jsonb_typeof(p_params) is distinct from 'object' then
        perform orchestration._refuse('OR108', format('params of a run of graph %s are not a JSON object', to_json(v_graph.name)), 'Pass an object such as {"limit": 10}.');
    end if;
    perform orchestration._compile(array[p_graph_id]);
    select h.version_id into v_version_id
    from orchestration.graph_head h join orchestration.graph_version v on v.id = h.version_id and v.task_count > 0 where h.graph_id = p_graph_id;
    if not found then
        perform orchestration._refuse('OR402', format('graph %s has no tasks', to_json(v_graph.name)), 'Add chains to it through graph_chain.');
    end if;
    return v_version_id;
end
$$;
comment on function orchestration._launchable(bigint, jsonb, text) is 'Refuses a launch that cannot be; answers the version it runs under.';
