create or replace function orchestration._read_result(p_run_id bigint, p_task_id bigint, p_ancestor_id bigint, p_run_key text) returns bigint
language plpgsql stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
-- Purpose: the task run whose result a config template of a graph run reads for an ancestor of the task: the last attempt there; for what
--          does not come before the task in a partial run the one recorded to stand in, else the latest success, of the same run key first.
-- Returns: its id; null: there is none.
-- Calls:   _is_ancestor, _latest_success.
declare
    v_version record;
begin
    select v.id, v.base_id into v_version
    from orchestration.graph_run r cross join lateral (select x.id, x.base_id from orchestration.graph_version x where x.id = r.version_id offset 0) v
    where r.id = p_run_id;
    if v_version.base_id is not null and not orchestration._is_ancestor(v_version.id, p_task_id, p_ancestor_id) then
        return coalesce((select s.task_run_id from orchestration.stand_in s where s.graph_run_id = p_run_id and s.task_id = p_ancestor_id),
                        orchestration._latest_success(p_ancestor_id, p_run_key));
    end if;
    return (select l.task_run_id from orchestration.graph_run_task_run l
            where l.graph_run_id = p_run_id and l.task_id = p_ancestor_id order by l.attempt desc limit 1);
end
$$;
comment on function orchestration._read_result(bigint, bigint, bigint, text) is 'The task run whose result a template reads.';
