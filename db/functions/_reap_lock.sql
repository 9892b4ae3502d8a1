create or replace function orchestration._reap_lock(p_task_run_ids bigint[]) returns bigint[]
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
-- Purpose: of task runs the caller has locked, those whose graph runs can be locked without waiting. The reaper never waits for a lock, so
--          it may take them in any order; what somebody else works on is left for the next call.
-- Returns: these task runs, in the order given.
-- Locks:   graph_run rows, in id order, skipping those that are locked.
declare
    v_runs bigint[];
begin
    v_runs := array(
        select r.id from orchestration.graph_run r
        where r.id = any (array(select l.graph_run_id from unnest(p_task_run_ids) p(id)
                                cross join lateral (select x.graph_run_id from orchestration.graph_run_task_run x where x.task_run_id = p.id offset 0) l))
        order by r.id for no key update skip locked);
    return array(
        select p.id from unnest(p_task_run_ids) with ordinality p(id, i)
        where not exists (select from orchestration.graph_run_task_run l where l.task_run_id = p.id and not l.graph_run_id = any (v_runs) offset 0)
        order by p.i);
end
$$;
comment on function orchestration._reap_lock(bigint[]) is 'Locks the graph runs of task runs without waiting; answers the task runs that can be worked on.';
