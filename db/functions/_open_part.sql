create or replace function orchestration._open_part(p_graph_id bigint, p_version_id bigint, p_params jsonb, p_run_key text, p_detail text) returns bigint
language plpgsql
set search_path = ''
set orchestration.engine = 'on'
as $$
-- Purpose: launch a partial run by hand: its start tasks are the roots of its version, so the insert trigger dispatches them, or awaits those
--          that only report.
-- Returns: the graph run's id.
-- Raises:  OR105, OR403.
-- Calls:   _check_ancestors, _stand_in.
-- Writes:  graph_run, stand_in.
declare
    v_id bigint := nextval('orchestration.graph_run_id_seq');
begin
    perform orchestration._check_ancestors(p_version_id);
    perform orchestration._stand_in(v_id, p_version_id, p_run_key);
    insert into orchestration.graph_run (id, graph_id, version_id, run_key, params, open_count, detail, created_at, updated_at)
    select v_id, p_graph_id, v.id, p_run_key, p_params, v.task_count, p_detail, orchestration._now(), orchestration._now()
    from orchestration.graph_version v where v.id = p_version_id;
    return v_id;
end
$$;
comment on function orchestration._open_part(bigint, bigint, jsonb, text, text) is 'Opens a partial run launched by hand.';
