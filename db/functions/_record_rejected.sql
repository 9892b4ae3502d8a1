create or replace function orchestration._record_rejected(p_task_run_ids bigint[], p_graph_ids bigint[], p_run_ids bigint[], p_new_ids bigint[]) returns void
language plpgsql
set search_path = ''
as $$
-- Purpose: history of ended task runs that a graph of policy reject did not take.
-- Parameters: element by element: task run, graph, the run that has its task and awaits roots (negated: an ordinal in new_ids).
-- Writes:  task_run_event.
declare
    v_now timestamptz := orchestration._now();
begin
    insert into orchestration.task_run_event (at, task_run_id, graph_run_id, old_status, new_status, source, actor, reason, detail)
    select v_now, t.id, t.graph_run_id, t.status, t.status, coalesce(nullif(current_setting('orchestration.source', true), ''), 'sql'),
           nullif(current_setting('orchestration.actor', true), ''), 'rejected', orchestration._rejection(t.task_id, r.graph_id, case when r.run_id < 0 then p_new_ids[-r.run_id] else r.run_id end)
    from unnest(p_task_run_ids, p_graph_ids, p_run_ids) with ordinality r(id, graph_id, run_id, i)
    cross join lateral (select x.id, x.task_id, x.graph_run_id, x.status from orchestration.task_run x where x.id = r.id offset 0) t
    order by r.i;
end
$$;
comment on function orchestration._record_rejected(bigint[], bigint[], bigint[], bigint[]) is 'History of repeats that a graph rejected.';
