create or replace function orchestration._unclaim(p_bridge_ids bigint[], p_task_run_ids bigint[]) returns void
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
-- Purpose: dispatches that bridges had claimed and did not send are anybody's again; those whose task run has ended meanwhile (a cancel could not
--          withdraw them) leave the outbox.
-- Parameters: the bridges; the task runs (null: all they hold).
-- Writes:  dispatch.
declare
    v_ids bigint[];
begin
    with free as (
        update orchestration.dispatch d set bridge_id = null
        where d.bridge_id = any (p_bridge_ids) and (p_task_run_ids is null or d.task_run_id = any (p_task_run_ids))
        returning d.task_run_id
    )
    select array_agg(f.task_run_id) into v_ids from free f cross join lateral (select from orchestration.task_run t where t.id = f.task_run_id and t.finished_at is not null offset 0) t;
    delete from orchestration.dispatch d where d.task_run_id = any (v_ids);
end
$$;
comment on function orchestration._unclaim(bigint[], bigint[]) is 'Gives claimed dispatches back.';
