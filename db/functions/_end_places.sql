create or replace function orchestration._end_places(p_run_ids bigint[], p_statuses text[], out versions bigint[], out filled boolean[])
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = on
set enable_mergejoin = off
set enable_hashagg = off
set orchestration.engine = 'on'
as $$
-- Purpose: places of graph runs ended: count them off, run by run, and end the runs that have none left:
--          FAILED if any place failed, else CANCELLED if any was cancelled, else SUCCESS. Ended runs are left alone.
--          Each run is locked by itself first, so that waiting for another bridge costs one look at one row; the UPDATE then finds rows that
--          stand still at their places (ctid), and no plan can make it more than linear.
-- Parameters: one element a place: its graph run and the final status of its last attempt.
-- Returns: for each place the version of its run, and whether places of that were filled before their turn; null where the run had ended.
-- Locks:   graph_run rows in id order.
-- Writes:  graph_run, task_run_event.
declare
    v_now timestamptz := orchestration._now();
    v_rows tid[];
    v_ids bigint[];
    v_statuses text[];
    v_reasons text[];
begin
    select array_agg(x.place), array_agg(x.version_id), array_agg(x.has_filled) into v_rows, versions, filled
    from (select r.place, r.version_id, r.has_filled
          from (select s.i from generate_series(1, cardinality(p_run_ids)) s(i) order by p_run_ids[s.i] offset 0) p
          left join lateral (select g.ctid as place, g.version_id, g.has_filled from orchestration.graph_run g
                             where g.id = p_run_ids[p.i] and g.status = 'RUNNING' for no key update offset 0) r on true
          order by p.i) x;
    with ended as materialized (
        select v_rows[p.i] as place, count(*)::integer as n, bool_or(p_statuses[p.i] = 'FAILED') as failed, bool_or(p_statuses[p.i] = 'CANCELLED') as cancelled
        from generate_series(1, cardinality(p_run_ids)) p(i)
        where v_rows[p.i] is not null
        group by v_rows[p.i]
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
        where r.ctid = e.place
        returning r.id, r.status, r.reason
    )
    select array_agg(c.id), array_agg(c.status), array_agg(c.reason) into v_ids, v_statuses, v_reasons from counted c where c.status <> 'RUNNING';
    if v_ids is not null then
        perform orchestration._record_runs(v_ids, 'RUNNING', v_statuses, v_reasons, null);
    end if;
end
$$;
comment on function orchestration._end_places(bigint[], text[]) is 'Counts ended places off their graph runs and ends the runs that have none left.';
