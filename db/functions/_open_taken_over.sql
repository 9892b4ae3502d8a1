create or replace function orchestration._open_taken_over(
    p_new bigint[], p_old bigint[], p_from bigint[], p_given boolean[] default null, out ready_runs bigint[], out ready_tasks bigint[])
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_mergejoin = off
set orchestration.engine = 'on'
as $$
-- Purpose: the one mechanism behind repeats, corrections and reruns, first half: fill run `new` from run `old`. It shares old's task runs
--          that are not downstream of the tasks `from`, in whatever state they are, awaits the roots old awaits, and has its joins counted
--          down by the successes it shares. All under new's own (the current) version.
-- Parameters: element by element: the new run (a row with version and open_count = all tasks, nothing linked), the run it takes from, a task
--          it starts anew from (several: repeat new and old); whether the caller puts a task run there (null: always), else it starts when
--          its predecessors in the new run allow it, or is awaited where it is a root.
-- Returns: the places that are ready by what is shared alone (the caller starts them when the tasks `from` are in place).
-- Locks:   (the caller: the old runs) the old runs' task runs in flight, in id order.
-- Calls:   _end_places, _skip_downstream.
-- Writes:  graph_run_task_run, awaited_root, countdown, task_run.shared, graph_run.has_filled.
declare
    v_runs bigint[]; v_tasks bigint[]; v_statuses text[];
    v_given_runs bigint[] := case when p_given is null then p_new else array(select f.r from unnest(p_new, p_given) with ordinality f(r, given, i) where f.given order by f.i) end;
    v_given_tasks bigint[] := case when p_given is null then p_from else array(select f.t from unnest(p_from, p_given) with ordinality f(t, given, i) where f.given order by f.i) end;
begin
    -- what is in flight there ends before this reads it, or after it is linked to the new run: then its end is told to that too
    perform from orchestration.task_run t
    where t.id = any (array(select l.task_run_id from (select distinct n.id from unnest(p_old) n(id)) o
                            cross join lateral (select x.task_run_id from orchestration.graph_run_task_run x where x.graph_run_id = o.id offset 0) l))
      and t.finished_at is null
    order by t.id for no key update;
    -- where the version changed in between, or the old run had filled places, a shared place may have predecessors that come later: they must not start it again
    update orchestration.graph_run r set has_filled = true, updated_at = orchestration._now()
    where r.id = any (array(select n.new_id from unnest(p_new, p_old) n(new_id, old_id)
                            cross join lateral (select x.version_id from orchestration.graph_run x where x.id = n.new_id and not x.has_filled offset 0) a
                            cross join lateral (select x.version_id, x.has_filled from orchestration.graph_run x where x.id = n.old_id offset 0) b
                            where a.version_id <> b.version_id or b.has_filled));
    -- what is redone: everything downstream of the given tasks, once per version and set of tasks
    with recursive ask as (
        select n.new_id, min(n.old_id) as old_id, r.version_id, array_agg(distinct n.from_id order by n.from_id) as froms
        from unnest(p_new, p_old, p_from) n(new_id, old_id, from_id)
        cross join lateral (select x.version_id from orchestration.graph_run x where x.id = n.new_id offset 0) r
        group by n.new_id, r.version_id
    ), down(version_id, froms, task_id) as (
        select d.version_id, d.froms, f.task_id from (select distinct version_id, froms from ask) d cross join unnest(d.froms) f(task_id)
        union
        select d.version_id, d.froms, s.task_id
        from down d
        cross join lateral (select x.successor_ids from orchestration.graph_version_task x where x.version_id = d.version_id and x.task_id = d.task_id offset 0) v
        cross join unnest(v.successor_ids) s(task_id)
    ), keep as materialized (
        select d.version_id, d.froms, v.task_id
        from (select distinct version_id, froms from ask) d
        cross join lateral (select x.task_id from orchestration.graph_version_task x where x.version_id = d.version_id offset 0) v
        where not exists (select from down x where x.version_id = d.version_id and x.froms = d.froms and x.task_id = v.task_id)
    ), linked as (
        insert into orchestration.graph_run_task_run (graph_run_id, task_run_id, task_id, attempt)
        select p.new_id, l.task_run_id, l.task_id, l.attempt
        from ask p
        join keep k on k.version_id = p.version_id and k.froms = p.froms
        cross join lateral (select x.task_run_id, x.task_id, x.attempt from orchestration.graph_run_task_run x
                            where x.graph_run_id = p.old_id and x.task_id = k.task_id offset 0) l
        returning graph_run_id, task_run_id, task_id, attempt
    ), flagged as (
        update orchestration.task_run t set shared = true, updated_at = orchestration._now()
        where t.id = any (array(select l.task_run_id from linked l)) and not t.shared and t.finished_at is null
        returning t.id
    )
    -- what is shared and has ended: the last attempt counts
    select array_agg(x.graph_run_id order by x.graph_run_id, x.task_id), array_agg(x.task_id order by x.graph_run_id, x.task_id),
           array_agg(x.status order by x.graph_run_id, x.task_id)
    into v_runs, v_tasks, v_statuses
    from (select distinct on (l.graph_run_id, l.task_id) l.graph_run_id, l.task_id, t.status, t.finished_at
          from linked l cross join lateral (select x.status, x.finished_at from orchestration.task_run x where x.id = l.task_run_id offset 0) t
          order by l.graph_run_id, l.task_id, l.attempt desc) x
    where x.finished_at is not null;
    -- roots without a task run are awaited; those being started anew get theirs now
    insert into orchestration.awaited_root (graph_run_id, task_id, graph_id, run_key, by_event)
    select distinct r.id, v.task_id, r.graph_id, coalesce(r.run_key, ''), r.opened_by = 'event'
    from unnest(p_new) n(id)
    cross join lateral (select x.id, x.graph_id, x.version_id, x.run_key, x.opened_by from orchestration.graph_run x where x.id = n.id offset 0) r
    cross join lateral (select x.task_id from orchestration.graph_version_task x where x.version_id = r.version_id and x.predecessor_count = 0 offset 0) v
    where not exists (select from orchestration.graph_run_task_run l where l.graph_run_id = r.id and l.task_id = v.task_id offset 0)
      and (r.id, v.task_id) not in (select f.new_id, f.from_id from unnest(v_given_runs, v_given_tasks) f(new_id, from_id));
    if v_runs is null then
        return;
    end if;
    perform orchestration._end_places(v_runs, v_statuses);
    if exists (select from unnest(v_statuses) s where s <> 'SUCCESS') then
        perform orchestration._skip_downstream(v_runs, v_tasks, v_statuses, v_given_runs, v_given_tasks);
    end if;
    with arrival as materialized (
        select p.run_id, s.task_id, s.needs
        from unnest(v_runs, v_tasks, v_statuses) p(run_id, task_id, status)
        cross join lateral (select x.version_id from orchestration.graph_run x where x.id = p.run_id and x.status = 'RUNNING' offset 0) r
        cross join lateral (select x.successor_ids, x.successor_needs from orchestration.graph_version_task x where x.version_id = r.version_id and x.task_id = p.task_id offset 0) v
        cross join unnest(v.successor_ids, v.successor_needs) s(task_id, needs)
        where p.status = 'SUCCESS'
          and not exists (select from orchestration.graph_run_task_run l where l.graph_run_id = p.run_id and l.task_id = s.task_id offset 0)
          and (p.run_id, s.task_id) not in (select f.new_id, f.from_id from unnest(v_given_runs, v_given_tasks) f(new_id, from_id))
    ), counted as (
        insert into orchestration.countdown as c (graph_run_id, task_id, needed, remaining)
        select a.run_id, a.task_id, max(a.needs), max(a.needs) - count(*)
        from arrival a where a.needs > 1 group by a.run_id, a.task_id
        order by a.run_id, a.task_id
        returning c.graph_run_id, c.task_id, c.remaining
    )
    select array_agg(x.run_id), array_agg(x.task_id) into ready_runs, ready_tasks
    from (select a.run_id, a.task_id from arrival a where a.needs = 1
          union all
          select c.graph_run_id, c.task_id from counted c where c.remaining = 0) x;
end
$$;
comment on function orchestration._open_taken_over(bigint[], bigint[], bigint[], boolean[]) is 'Take-over, first half: fills the new run from the old one.';
