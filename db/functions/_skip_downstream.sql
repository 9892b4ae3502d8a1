create or replace function orchestration._skip_downstream(
    p_run_ids bigint[], p_task_ids bigint[], p_statuses text[], p_taken_runs bigint[] default null, p_taken_tasks bigint[] default null) returns void
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set orchestration.engine = 'on'
as $$
-- Purpose: a place ended without success: its successors in that run that have no task run yet are SKIPPED, reason upstream, and so are
--          theirs; each names the first such place. A place that has a task run (given, filled, shared) passes nothing on: what comes
--          after it depends on it alone. Only open runs.
-- Parameters: ended places in the order of their events; SUCCESS ones are passed over. Places that count as taken, though
--          their task run is made only after this (null: none).
-- Writes:  task_run (its trigger: links, history); graph_run through _end_places.
declare
    v_now timestamptz := orchestration._now();
    v_runs bigint[];
begin
    with recursive down(run_id, version_id, task_id, cause) as (
        select r.id, r.version_id, s.task_id, p.i
        from unnest(p_run_ids, p_task_ids, p_statuses) with ordinality p(run_id, task_id, status, i)
        cross join lateral (select x.id, x.version_id from orchestration.graph_run x where x.id = p.run_id and x.status = 'RUNNING' offset 0) r
        cross join lateral (select x.successor_ids from orchestration.graph_version_task x where x.version_id = r.version_id and x.task_id = p.task_id offset 0) v
        cross join unnest(v.successor_ids) s(task_id)
        where p.status <> 'SUCCESS'
          and not exists (select from orchestration.graph_run_task_run l where l.graph_run_id = r.id and l.task_id = s.task_id offset 0)
          and (p_taken_runs is null or (r.id, s.task_id) not in (select t.r, t.t from unnest(p_taken_runs, p_taken_tasks) t(r, t)))
        union
        select d.run_id, d.version_id, s.task_id, d.cause
        from down d
        cross join lateral (select x.successor_ids from orchestration.graph_version_task x where x.version_id = d.version_id and x.task_id = d.task_id offset 0) v
        cross join unnest(v.successor_ids) s(task_id)
        where not exists (select from orchestration.graph_run_task_run l where l.graph_run_id = d.run_id and l.task_id = s.task_id offset 0)
          and (p_taken_runs is null or (d.run_id, s.task_id) not in (select t.r, t.t from unnest(p_taken_runs, p_taken_tasks) t(r, t)))
    ), place as (
        select d.run_id, d.task_id, min(d.cause) as cause
        from down d
        group by d.run_id, d.task_id
        order by d.run_id, d.task_id
    ), born as (
        insert into orchestration.task_run (task_id, graph_run_id, run_key, status, reason, detail, finished_at, created_at, updated_at)
        select p.task_id, p.run_id, r.run_key, 'SKIPPED', 'upstream', 'task ' || k.task_name || ' ended ' || p_statuses[p.cause], v_now, v_now, v_now
        from place p
        cross join lateral (select x.run_key from orchestration.graph_run x where x.id = p.run_id offset 0) r
        cross join lateral (select x.task_name from orchestration.task_card x where x.task_id = p_task_ids[p.cause] offset 0) k
        returning graph_run_id
    )
    select array_agg(graph_run_id) into v_runs from born;
    if v_runs is not null then
        perform orchestration._end_places(v_runs, array_fill('SKIPPED'::text, array[cardinality(v_runs)]));
    end if;
end
$$;
comment on function orchestration._skip_downstream(bigint[], bigint[], text[], bigint[], bigint[]) is 'SKIPs what can no longer start.';
