create or replace function orchestration._cancel_runs(p_run_ids bigint[], p_reason text, p_detail text, p_status text default 'CANCELLED') returns void
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set orchestration.engine = 'on'
as $$
-- Purpose: end graph runs at once: what they had not started is SKIPPED, what is in flight CANCELLED unless another open run shares it.
--          Unsent dispatches are withdrawn; the tool is not told. Runs that ended already are passed over.
-- Parameters: the runs; reason and words; the status they end with (FAILED for a time-out).
-- Locks:   graph_run rows in id order, then their task runs in flight in id order.
-- Writes:  graph_run, task_run, awaited_root, dispatch, task_run_event.
declare
    v_now timestamptz := orchestration._now();
    v_runs bigint[];
    v_flight bigint[];
begin
    select array_agg(x.id) into v_runs from (select r.id from orchestration.graph_run r where r.id = any (p_run_ids) and r.status = 'RUNNING' order by r.id for no key update) x;
    if v_runs is null then
        return;
    end if;
    delete from orchestration.awaited_root a where a.graph_run_id = any (v_runs);
    update orchestration.graph_run r set status = p_status, reason = p_reason, detail = p_detail, open_count = 0, finished_at = v_now, updated_at = v_now
    where r.id = any (v_runs);
    perform orchestration._record_runs(v_runs, 'RUNNING', array_fill(p_status, array[cardinality(v_runs)]),
        array_fill(p_reason, array[cardinality(v_runs)]), array_fill(p_detail, array[cardinality(v_runs)]));
    insert into orchestration.task_run (task_id, graph_run_id, run_key, status, reason, detail, finished_at, created_at, updated_at)
    select v.task_id, r.id, r.run_key, 'SKIPPED', p_reason, p_detail, v_now, v_now, v_now
    from orchestration.graph_run r
    cross join lateral (select x.task_id from orchestration.graph_version_task x where x.version_id = r.version_id offset 0) v
    where r.id = any (v_runs)
      and not exists (select from orchestration.graph_run_task_run l where l.graph_run_id = r.id and l.task_id = v.task_id);
    -- a take-over that shares one of them is done, or waits for the end of this
    perform from orchestration.task_run t
    where t.id = any (array(select l.task_run_id from unnest(v_runs) c(id)
                            cross join lateral (select x.task_run_id from orchestration.graph_run_task_run x where x.graph_run_id = c.id offset 0) l))
      and t.finished_at is null
    order by t.id for no key update;
    select array_agg(distinct t.id) into v_flight
    from unnest(v_runs) c(id)
    cross join lateral (select x.task_run_id from orchestration.graph_run_task_run x where x.graph_run_id = c.id offset 0) l
    cross join lateral (select x.id from orchestration.task_run x where x.id = l.task_run_id and x.finished_at is null offset 0) t
    where not exists (select from orchestration.graph_run_task_run o
                      where o.task_run_id = t.id and (select r.status from orchestration.graph_run r where r.id = o.graph_run_id) = 'RUNNING' offset 0);
    delete from orchestration.dispatch d where d.task_run_id = any (v_flight) and d.bridge_id is null;
    update orchestration.task_run t
    set previous_status = t.status, status = 'CANCELLED', reason = p_reason, detail = p_detail, awaits_tool = t.status in ('DISPATCHED', 'RUNNING'),
        finished_at = v_now, updated_at = v_now
    where t.id = any (v_flight) and t.finished_at is null;
end
$$;
comment on function orchestration._cancel_runs(bigint[], text, text, text) is 'Ends graph runs at once.';
