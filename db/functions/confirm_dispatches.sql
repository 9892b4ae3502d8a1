create or replace function orchestration.confirm_dispatches(instance bigint, task_run_ids bigint[]) returns void
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
-- @plpgsql_check_options: extra_warnings = off
-- Purpose: delivery reports came in: the rows leave the outbox. A delivery more than 2 s after the dispatch is noted on the task run, because
--          time-outs count from it.
-- Writes:  dispatch, task_run.
declare
    v_now timestamptz := orchestration._now();
    v_late bigint[];
begin
    with gone as (
        delete from orchestration.dispatch d where d.task_run_id = any (task_run_ids) returning d.task_run_id, d.created_at
    )
    select array_agg(g.task_run_id) into v_late from gone g where g.created_at < v_now - interval '2 seconds';
    if v_late is not null then
        update orchestration.task_run t
        set delivered_at = case when t.resend_count = 0 then v_now else t.delivered_at end, resent_at = case when t.resend_count > 0 then v_now end, updated_at = v_now
        where t.id = any (v_late);
    end if;
end
$$;
comment on function orchestration.confirm_dispatches(bigint, bigint[]) is 'Delivered dispatches leave the outbox.';
