create or replace function orchestration._read_result(p_run_id bigint, p_task_id bigint, p_run_key text) returns bigint
language plpgsql stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
-- Purpose: the task run whose result a config template of a graph run reads for a task: the last attempt there; for what lies outside a
--          partial run the one recorded to stand in, else the latest success, of the same run key first.
-- Returns: its id; null: there is none.
declare
    v_id bigint;
begin
    select l.task_run_id into v_id from orchestration.graph_run_task_run l
    where l.graph_run_id = p_run_id and l.task_id = p_task_id order by l.attempt desc limit 1;
    if not found then
        select s.task_run_id into v_id from orchestration.stand_in s where s.graph_run_id = p_run_id and s.task_id = p_task_id;
    end if;
    if v_id is null and (select v.base_id from orchestration.graph_run r join orchestration.graph_version v on v.id = r.version_id where r.id = p_run_id) is not null then
        v_id := orchestration._latest_success(p_task_id, p_run_key);
    end if;
    return v_id;
end
$$;
comment on function orchestration._read_result(bigint, bigint, text) is 'The task run whose result a template reads.';
