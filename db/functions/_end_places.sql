create or replace function orchestration._end_places(p_run_ids bigint[], p_statuses text[]) returns void
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_nestloop = off
set enable_hashjoin = on
set enable_mergejoin = off
set enable_hashagg = off
set orchestration.engine = 'on'
as $$
-- Purpose: places of graph runs ended: count them off, run by run in id order (the lock order), and end the runs that have none left:
--          FAILED if any place failed, else CANCELLED if any was cancelled, else SUCCESS. Ended runs are left alone.
--          The rows are found by id = any (array) and hash-joined to their counts: no plan can make this more than linear.
-- Parameters: one element a place: its graph run and the final status of its last attempt.
-- Writes:  graph_run, task_run_event.
declare
    v_now timestamptz := orchestration._now();
    v_ids bigint[];
    v_statuses text[];
    v_reasons text[];
begin
    with ended as materialized (
        select p.run_id, count(*)::integer as n, bool_or(p.status = 'FAILED') as failed, bool_or(p.status = 'CANCELLED') as cancelled
        from unnest(p_run_ids, p_statuses) p(run_id, status)
        group by p.run_id
        order by p.run_id
    ), counted as (
        update orchestration.graph_run r
        set open_count = r.open_count - e.n,
            has_failed = r.has_failed or e.failed,
            has_cancelled = r.has_cancelled or e.cancelled,
            status = case when r.open_count > e.n then 'RUNNING' when r.has_failed or e.failed then 'FAILED'
                          when r.has_cancelled or e.cancelled then 'CANCELLED' else 'SUCCESS' end,
            finished_at = case when r.open_count > e.n then null else v_now end,
            updated_at = v_now
        from ended e
        where r.id = e.run_id and r.id = any (p_run_ids) and r.status = 'RUNNING'
        returning r.id, r.status, r.reason
    )
    select array_agg(c.id), array_agg(c.status), array_agg(c.reason) into v_ids, v_statuses, v_reasons from counted c where c.status <> 'RUNNING';
    if v_ids is not null then
        perform orchestration._record_runs(v_ids, 'RUNNING', v_statuses, v_reasons, null);
    end if;
end
$$;
comment on function orchestration._end_places(bigint[], text[]) is 'Counts ended places off their graph runs and ends the runs that have none left.';
