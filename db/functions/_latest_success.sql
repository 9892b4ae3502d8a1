create or replace function orchestration._latest_success(p_task_id bigint, p_run_key text) returns bigint
language plpgsql stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
-- Purpose: the success that counts for a task outside a run: the latest of the same run key, else the latest of all.
-- Returns: the task run; null: it never succeeded.
begin
    return coalesce(
        (select q.id from orchestration.task_run q where q.task_id = p_task_id and q.status = 'SUCCESS' and q.run_key is not distinct from p_run_key order by q.id desc limit 1),
        (select q.id from orchestration.task_run q where q.task_id = p_task_id and q.status = 'SUCCESS' order by q.id desc limit 1));
end
$$;
comment on function orchestration._latest_success(bigint, text) is 'The latest success of a task, of the same run key first.';
