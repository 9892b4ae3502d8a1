create or replace function orchestration._judge(p_from integer, p_to integer, p_status text[], p_key text[], p_task_id bigint[], p_target bigint[], p_reason text[],
    out rejected integer[], out words text[], out o_to integer)
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_mergejoin = off
as $$
-- Purpose: which events of a pass are work a tool did by itself that every graph rejects (SPEC 4.3, reject; 4.1.6: judged per graph), before
--          anything of them is written. Decides on the whole pass as _place will.
-- Parameters: the pass, and what is known of its events: task, task run, dead letter reason.
-- Returns: the rejected events, in order, with the words of the dead letter; the last event of the pass, which may end sooner.
-- Locks:   one advisory lock a (graph, key), sorted.
-- Calls:   _compile_around, _lock_groups, _redone_in, _decide, _rejection.
declare
    v_item record;
    d record;
begin
    o_to := p_to;
    perform orchestration._compile_around(array(select distinct e.task_id from unnest(p_task_id) e(task_id) where e.task_id is not null));
    select array_agg(c.graph_id order by e.i, c.graph_id) as graphs, array_agg(e.key order by e.i, c.graph_id) as keys, array_agg(e.i order by e.i, c.graph_id) as items,
           array_agg(e.task_id order by e.i, c.graph_id) as tasks, array_agg(e.status order by e.i, c.graph_id) as statuses,
           array_agg(e.home is not null order by e.i, c.graph_id) as cross_in,
           array_agg(case when e.home is not null then orchestration._redone_in(e.home, e.task_id, c.graph_id) end order by e.i, c.graph_id) as redone
    into v_item
    from (
        select u.i, u.status, u.task_id, u.target, t.graph_run_id as home, case when t.graph_run_id is null then u.key else t.run_key end as key
        from unnest(p_status, p_key, p_task_id, p_target, p_reason) with ordinality u(status, key, task_id, target, reason, i)
        left join lateral (select x.run_key, x.graph_run_id, x.dispatched_at, x.finished_at from orchestration.task_run x where x.id = u.target offset 0) t on true
        where u.i between p_from and p_to and u.reason is null and u.task_id is not null and u.status in ('SUCCESS', 'FAILED', 'SKIPPED')
          and (u.target is null
               or t.finished_at is null and case when t.graph_run_id is null then t.dispatched_at is null else u.status = 'SUCCESS' end)
    ) e
    cross join lateral (
        select r.graph_id from orchestration.graph_root r where r.task_id = e.task_id
        union
        select a.graph_id from orchestration.awaited_root a where a.task_id = e.task_id and a.graph_id is not null) c
    where e.target is null
       or not exists (select from orchestration.graph_run_task_run l
                      where l.task_run_id = e.target and (select r.graph_id from orchestration.graph_run r where r.id = l.graph_run_id) = c.graph_id offset 0);
    if v_item.items is null then
        return;
    end if;
    perform orchestration._lock_groups(v_item.graphs, v_item.keys);
    select x.* into d from orchestration._decide(v_item.graphs, v_item.keys, v_item.items, v_item.tasks, v_item.statuses, v_item.redone) x;
    if d.rest_item is not null then
        o_to := (select min(x.i) - 1 from unnest(d.rest_item) x(i));
    end if;
    if cardinality(d.r_item) = 0 then
        return;
    end if;
    select array_agg(y.i order by y.i), array_agg(y.words order by y.i) into rejected, words
    from (
        select distinct on (r.i) r.i::integer as i, orchestration._rejection(p_task_id[r.i], r.graph_id, nullif(greatest(r.run_id, 0), 0)) as words
        from unnest(d.r_item, d.r_graph, d.r_run) r(i, graph_id, run_id)
        where r.i <= o_to
          and (r.i) not in (select p.i from unnest(d.p_item) p(i))
          and (r.i) not in (select c.i from unnest(v_item.items, v_item.cross_in) c(i, cross_in) where c.cross_in)
        order by r.i, r.graph_id) y;
end
$$;
comment on function orchestration._judge(integer, integer, text[], text[], bigint[], bigint[], text[]) is 'Which events of a pass every graph rejects.';
