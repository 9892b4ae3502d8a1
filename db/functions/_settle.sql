create or replace function orchestration._settle(p_run_ids bigint[], p_task_ids bigint[], p_statuses text[]) returns void
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set orchestration.engine = 'on'
as $$
-- Purpose: next-task resolution. Places ended for good: count them off, skip what is downstream of the unsuccessful ones, count down the
--          joins of the successful ones and start every successor whose last predecessor this was, in the order of what completed them. Set-based,
--          linear in the places.
-- Parameters: ended places (graph run, task, status), each place once, in the order of their events.
-- Locks:   graph_run rows in id order (through _end_places), then countdown rows in key order.
-- Calls:   _end_places, _skip_downstream, _start.
-- Writes:  countdown.
declare
    v_runs bigint[];
    v_tasks bigint[];
    v_versions bigint[]; v_filled boolean[];
begin
    select e.versions, e.filled into v_versions, v_filled from orchestration._end_places(p_run_ids, p_statuses) e;
    if exists (select from unnest(p_statuses) s where s <> 'SUCCESS') then
        perform orchestration._skip_downstream(p_run_ids, p_task_ids, p_statuses);
    end if;
    with arrival as materialized (
        select p_run_ids[p.i] as run_id, s.task_id, s.needs, p.i as at
        from generate_series(1, cardinality(p_run_ids)) p(i)
        cross join lateral (select x.successor_ids, x.successor_needs from orchestration.graph_version_task x where x.version_id = v_versions[p.i] and x.task_id = p_task_ids[p.i] and x.successor_ids <> '{}' offset 0) v
        cross join lateral (select unnest(v.successor_ids) as task_id, unnest(v.successor_needs) as needs) s
        where p_statuses[p.i] = 'SUCCESS'
          and (not v_filled[p.i] or not exists (select from orchestration.graph_run_task_run l where l.graph_run_id = p_run_ids[p.i] and l.task_id = s.task_id offset 0))
    ), counted as (
        insert into orchestration.countdown as c (graph_run_id, task_id, needed, remaining)
        select a.run_id, a.task_id, max(a.needs), max(a.needs) - count(*)
        from arrival a
        where a.needs > 1
        group by a.run_id, a.task_id
        order by a.run_id, a.task_id
        on conflict (graph_run_id, task_id) do update set remaining = c.remaining - (excluded.needed - excluded.remaining)
        returning c.graph_run_id, c.task_id, c.remaining
    )
    -- a join starts with its last arrival
    select array_agg(x.run_id order by x.at), array_agg(x.task_id order by x.at) into v_runs, v_tasks
    from (select a.run_id, a.task_id, a.at from arrival a where a.needs = 1
          union all
          select j.run_id, j.task_id, max(j.at)
          from (select a.run_id, a.task_id, a.at, null::integer as remaining from arrival a where a.needs > 1
                union all
                select c.graph_run_id, c.task_id, null, c.remaining from counted c) j
          group by j.run_id, j.task_id
          having max(j.remaining) = 0) x;
    if v_runs is not null then
        perform orchestration._start(v_runs, v_tasks);
    end if;
end
$$;
comment on function orchestration._settle(bigint[], bigint[], text[]) is 'Next-task resolution of places that ended.';
