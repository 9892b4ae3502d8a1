create or replace function orchestration._place(p_task_run_ids bigint[]) returns void
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_mergejoin = off
set orchestration.engine = 'on'
as $$
-- Purpose: ended task runs of root tasks join or open graph runs (SPEC 4.1.6, 4.3 policy latest), one after the other in the given order:
--          the oldest open event-opened run of that graph and key that awaits the task, else the oldest run opened by hand that awaits it,
--          else a take-over of what it repeats, else a new run. A task run never enters a graph it stands in already.
--          The decisions are made in memory, group by group; what they lead to is written set-based. A take-over builds on rows, so where
--          its base was touched in the same pass the rest of the group waits for the next pass; a row of repeats of one root is one pass.
-- Parameters: task runs SUCCESS, FAILED or SKIPPED, in the order of their events.
-- Locks:   one advisory lock a (graph, key), sorted; then graph_run rows in id order.
--          Where a redone task run stood in a run of the graph, the new run takes that one over.
-- Calls:   _compile_around, _lock_groups, _redone_in, _open_taken_over, _settle, _start, _replace.
-- Writes:  graph_run, graph_run_task_run, awaited_root.
declare
    g record;
    v_pending bigint[];                -- task runs still to place, with their graphs
    v_pending_graphs bigint[];
    v_rest bigint[];
    v_rest_graphs bigint[];
    -- runs opened in this pass; their ordinal, negated, stands for the id until it is drawn
    n_graph bigint[]; n_key text[]; n_base bigint[]; n_old bigint[]; n_root bigint[];
    -- placements of this pass
    p_run bigint[]; p_task_run bigint[];  p_task bigint[]; p_status text[];
    -- roots awaited by the new runs of this pass
    a_run bigint[]; a_task bigint[];
    -- the state of the group at hand
    v_wait_run bigint; v_wait bigint[]; v_newest bigint; v_touched boolean; v_last_root bigint; v_last_ok boolean; v_base bigint;
    v_hand_runs bigint[]; v_hand_tasks bigint[];
    v_task bigint; v_ok boolean; v_i integer; v_at integer; v_defer boolean;
    v_ids bigint[];
    v_ready_runs bigint[]; v_ready_tasks bigint[];
begin
    perform orchestration._compile_around((select array_agg(distinct t.task_id) from unnest(p_task_run_ids) p(id) cross join lateral (select x.task_id from orchestration.task_run x where x.id = p.id offset 0) t));
    select array_agg(x.id order by x.i, x.graph_id), array_agg(x.graph_id order by x.i, x.graph_id) into v_pending, v_pending_graphs
    from (
        select p.i, t.id, c.graph_id
        from unnest(p_task_run_ids) with ordinality p(id, i)
        cross join lateral (select y.id, y.task_id, y.status, y.graph_run_id from orchestration.task_run y where y.id = p.id offset 0) t
        cross join lateral (
            select r.graph_id from orchestration.graph_root r where r.task_id = t.task_id
            union
            select a.graph_id from orchestration.awaited_root a where a.task_id = t.task_id and a.graph_id is not null) c
        where t.status = 'SUCCESS' or t.graph_run_id is null
    ) x
    where not exists (select from orchestration.graph_run_task_run l
                      where l.task_run_id = x.id and (select r.graph_id from orchestration.graph_run r where r.id = l.graph_run_id) = x.graph_id offset 0);
    -- a root nowhere: a partial run, where the tool's own id shows that it is work of its own, or a person replays it
    perform orchestration._open_partial(t.id)
    from unnest(p_task_run_ids) with ordinality p(id, i)
    cross join lateral (select y.id, y.task_id, y.run_key, y.external_id, y.graph_run_id from orchestration.task_run y where y.id = p.id offset 0) t
    where t.graph_run_id is null and (t.external_id is not null or current_setting('orchestration.replay', true) = 'on')
      and not exists (select from orchestration.graph_root r where r.task_id = t.task_id offset 0)
      and not exists (select from orchestration.awaited_root a where a.task_id = t.task_id and a.run_key = coalesce(t.run_key, '') offset 0)
    order by p.i;
    if v_pending is null then
        return;
    end if;
    perform orchestration._lock_groups(array_agg(p.graph_id), array_agg(t.run_key))
    from unnest(v_pending, v_pending_graphs) p(id, graph_id)
    cross join lateral (select x.task_id, x.run_key from orchestration.task_run x where x.id = p.id offset 0) t
    -- a graph of one root, without key, awaits nothing: its events do not meet
    where t.run_key is not null
       or exists (select from orchestration.awaited_root a where a.task_id = t.task_id and a.graph_id = p.graph_id offset 0)
       or not exists (select from orchestration.graph_root r where r.task_id = t.task_id and r.graph_id = p.graph_id and r.root_count = 1 offset 0);

    while v_pending is not null loop
        n_graph := '{}'; n_key := '{}'; n_base := '{}'; n_old := '{}'; n_root := '{}';
        p_run := '{}'; p_task_run := '{}'; p_task := '{}'; p_status := '{}'; a_run := '{}'; a_task := '{}';
        v_rest := null; v_rest_graphs := null; v_ready_runs := null; v_ready_tasks := null;
        for g in
            with item as (
                select p.graph_id, t.run_key, p.i, t.id, t.task_id, t.status,
                       case when t.graph_run_id is not null then orchestration._redone_in(t.graph_run_id, t.task_id, p.graph_id) end as redone
                from unnest(v_pending, v_pending_graphs) with ordinality p(id, graph_id, i)
                cross join lateral (select x.id, x.task_id, x.status, x.run_key, x.graph_run_id from orchestration.task_run x where x.id = p.id offset 0) t
            ), folded as materialized (
                select i.graph_id, i.run_key, array_agg(i.id order by i.i) as ids, array_agg(i.task_id order by i.i) as tasks,
                       array_agg(i.status order by i.i) as statuses, array_agg(i.redone order by i.i) as redone, count(*)::integer as n
                from item i
                group by i.graph_id, i.run_key
            )
            select i.graph_id, i.run_key, i.ids, i.tasks, i.statuses, i.redone, i.n, h.roots, w.runs as wait_runs, w.tasks as wait_tasks, b.runs as hand_runs, b.tasks as hand_tasks, e.id as newest
            from folded i
            left join lateral (select array_agg(r.task_id) as roots from orchestration.graph_root r where r.graph_id = i.graph_id) h on true
            left join lateral (
                select array_agg(a.graph_run_id order by a.graph_run_id, a.task_id) as runs, array_agg(a.task_id order by a.graph_run_id, a.task_id) as tasks
                from orchestration.awaited_root a
                where a.by_event and a.run_key = coalesce(i.run_key, '') and a.graph_id = i.graph_id
                  and a.task_id = any (h.roots || i.tasks)) w on true
            left join lateral (
                select array_agg(a.graph_run_id order by a.graph_run_id, a.task_id) as runs, array_agg(a.task_id order by a.graph_run_id, a.task_id) as tasks
                from orchestration.awaited_root a
                where not a.by_event and a.run_key = coalesce(i.run_key, '') and a.graph_id = i.graph_id
                  and a.task_id = any (h.roots || i.tasks)) b on true
            left join lateral (
                select r.id from orchestration.graph_run r
                where r.graph_id = i.graph_id and r.run_key = i.run_key and r.opened_by = 'event'
                order by r.id desc limit 1) e on i.run_key is not null
            order by i.graph_id, i.run_key
        loop
            v_wait_run := null; v_wait := '{}'; v_newest := g.newest; v_touched := false; v_last_root := null; v_base := null;
            v_hand_runs := g.hand_runs; v_hand_tasks := g.hand_tasks; v_defer := false; v_i := 1;
            if g.wait_runs is not null then
                -- more than one awaiting run (an older version's root): settle the first placement from the rows, the others next pass
                v_wait_run := g.wait_runs[1];
                select array_agg(x.t) into v_wait from unnest(g.wait_runs, g.wait_tasks) x(r, t) where x.r = v_wait_run;
                if g.wait_runs[cardinality(g.wait_runs)] <> v_wait_run and not g.tasks[1] = any (v_wait) then
                    v_at := array_position(g.wait_tasks, g.tasks[1]);
                    if v_at is not null then
                        v_wait_run := g.wait_runs[v_at];
                        select array_agg(x.t) into v_wait from unnest(g.wait_runs, g.wait_tasks) x(r, t) where x.r = v_wait_run;
                    end if;
                end if;
                v_defer := g.wait_runs[cardinality(g.wait_runs)] <> g.wait_runs[1];
            end if;
            while v_i <= g.n loop
                v_task := g.tasks[v_i];
                v_ok := g.statuses[v_i] = 'SUCCESS';
                if g.redone[v_i] is not null and v_task = any (g.roots) then
                    -- it stood in a run of this graph before it was redone: the new run takes that over, alone in its pass
                    exit when v_i > 1;
                    n_graph := n_graph || g.graph_id; n_key := n_key || g.run_key; n_root := n_root || v_task;
                    n_base := n_base || g.redone[v_i]; n_old := n_old || g.redone[v_i];
                    p_run := p_run || (-cardinality(n_graph))::bigint; p_task_run := p_task_run || g.ids[v_i]; p_task := p_task || v_task; p_status := p_status || g.statuses[v_i];
                    v_wait_run := null;
                    v_i := v_i + 1;
                    exit;
                elsif v_task = any (v_wait) then
                    -- joins the run that awaits it
                    p_run := p_run || v_wait_run; p_task_run := p_task_run || g.ids[v_i]; p_task := p_task || v_task; p_status := p_status || g.statuses[v_i];
                    v_wait := array_remove(v_wait, v_task);
                    v_touched := true;
                    v_last_root := null;
                    if cardinality(v_wait) = 0 then
                        v_wait_run := null;
                    end if;
                elsif v_task = any (v_hand_tasks) then
                    -- a run opened by hand awaits it, the oldest first
                    v_at := array_position(v_hand_tasks, v_task);
                    p_run := p_run || v_hand_runs[v_at]; p_task_run := p_task_run || g.ids[v_i]; p_task := p_task || v_task; p_status := p_status || g.statuses[v_i];
                    v_hand_runs := v_hand_runs[:v_at - 1] || v_hand_runs[v_at + 1:];
                    v_hand_tasks := v_hand_tasks[:v_at - 1] || v_hand_tasks[v_at + 1:];
                elsif v_task = any (g.roots) then
                    v_base := null;
                    if g.run_key is not null then
                        v_base := v_newest;
                    elsif v_wait_run is not null then
                        v_base := v_wait_run;
                    elsif cardinality(g.roots) > 1 and v_ok and not v_touched then
                        -- nothing is awaited; but where this root did not succeed in a run still open, its success takes that over
                        select r.id into v_base
                        from orchestration.graph_run r
                        cross join lateral (select x.task_run_id from orchestration.graph_run_task_run x where x.graph_run_id = r.id and x.task_id = v_task offset 0) l
                        cross join lateral (select from orchestration.task_run x where x.id = l.task_run_id and x.status in ('FAILED', 'SKIPPED', 'CANCELLED') offset 0) t
                        where r.id = (select x.id from orchestration.graph_run x
                                      where x.graph_id = g.graph_id and x.run_key is null and x.opened_by = 'event' order by x.id desc limit 1)
                          and r.status = 'RUNNING' and r.replaced_by_id is null;
                    elsif cardinality(g.roots) > 1 and v_ok then
                        exit;
                    end if;
                    if v_base is null then
                        n_graph := n_graph || g.graph_id; n_key := n_key || g.run_key; n_base := n_base || null::bigint; n_old := n_old || null::bigint;
                        n_root := n_root || v_task;
                        v_newest := -cardinality(n_graph);
                        v_touched := true;
                        v_last_root := null;
                        v_wait := array_remove(g.roots, v_task);
                        v_wait_run := case when cardinality(v_wait) > 0 then v_newest end;
                    elsif not v_touched or (v_last_root = v_task and v_last_ok = v_ok) then
                        n_graph := n_graph || g.graph_id; n_key := n_key || g.run_key; n_root := n_root || v_task;
                        n_base := n_base || case when v_last_root = v_task then n_base[cardinality(n_base)] else v_base end;
                        n_old := n_old || v_base;
                        v_newest := -cardinality(n_graph);
                        if v_wait_run is not null then
                            v_wait_run := v_newest;
                        end if;
                        v_touched := true;
                        v_last_root := v_task;
                        v_last_ok := v_ok;
                    else
                        exit;
                    end if;
                    p_run := p_run || v_newest; p_task_run := p_task_run || g.ids[v_i]; p_task := p_task || v_task; p_status := p_status || g.statuses[v_i];
                    if v_last_root is not null and v_i < g.n and (g.tasks[v_i + 1] <> v_task or (g.statuses[v_i + 1] = 'SUCCESS') <> v_ok) then
                        v_i := v_i + 1;
                        exit;
                    end if;
                end if;
                v_i := v_i + 1;
                exit when v_defer;
            end loop;
            if v_wait_run < 0 and v_last_root is null then
                a_run := a_run || array_fill(v_wait_run, array[cardinality(v_wait)]);
                a_task := a_task || v_wait;
            end if;
            if v_i <= g.n then
                v_rest := v_rest || g.ids[v_i:];
                v_rest_graphs := v_rest_graphs || array_fill(g.graph_id, array[g.n - v_i + 1]);
            end if;
        end loop;

        -- write it down
        if cardinality(n_graph) > 0 then
            select array_agg(nextval('orchestration.graph_run_id_seq')) into v_ids from generate_series(1, cardinality(n_graph));
            insert into orchestration.graph_run (id, graph_id, version_id, run_key, open_count, opened_by, replaces_id)
            select v_ids[n.i], n.graph_id, h.version_id, n.run_key, v.task_count, 'event', case when n.old < 0 then v_ids[-n.old] else n.old end
            from unnest(n_graph, n_key, n_old) with ordinality n(graph_id, run_key, old, i)
            cross join lateral (select x.version_id from orchestration.graph_head x where x.graph_id = n.graph_id offset 0) h
            cross join lateral (select x.task_count from orchestration.graph_version x where x.id = h.version_id offset 0) v;
            insert into orchestration.awaited_root (graph_run_id, task_id, graph_id, run_key, by_event)
            select v_ids[-a.run_id], a.task_id, n_graph[-a.run_id], coalesce(n_key[-a.run_id], ''), true
            from unnest(a_run, a_task) a(run_id, task_id);
        end if;
        if exists (select from unnest(p_run) r where r > 0) then
            perform from orchestration.graph_run r
            where r.id = any (array(select x from unnest(p_run) x where x > 0 union select x from unnest(n_old) x where x > 0))
            order by r.id for no key update;
            delete from orchestration.awaited_root a
            where a.graph_run_id = any (p_run) and case when (a.graph_run_id, a.task_id) in (select p.run_id, p.task_id from unnest(p_run, p_task) p(run_id, task_id)) then true end;
        end if;
        p_run := array(select case when p.run_id < 0 then v_ids[-p.run_id] else p.run_id end from unnest(p_run) with ordinality p(run_id, i) order by p.i);
        if exists (select from unnest(n_old) o where o is not null) then
            select o.ready_runs, o.ready_tasks into v_ready_runs, v_ready_tasks
            from orchestration._open_taken_over(
                (select array_agg(v_ids[n.i] order by n.i) from unnest(n_base) with ordinality n(base, i) where n.base is not null),
                (select array_agg(n.base order by n.i) from unnest(n_base) with ordinality n(base, i) where n.base is not null),
                (select array_agg(n_root[n.i] order by n.i) from unnest(n_base) with ordinality n(base, i) where n.base is not null)) o;
        end if;
        insert into orchestration.graph_run_task_run (graph_run_id, task_run_id, task_id)
        select p.run_id, p.task_run_id, p.task_id from unnest(p_run, p_task_run, p_task) p(run_id, task_run_id, task_id);
        perform orchestration._settle(p_run, p_task, p_status);
        if v_ready_runs is not null then
            perform orchestration._start(v_ready_runs, v_ready_tasks);
        end if;
        if exists (select from unnest(n_old) o where o is not null) then
            perform orchestration._replace(
                (select array_agg(case when n.old < 0 then v_ids[-n.old] else n.old end order by n.i) from unnest(n_old) with ordinality n(old, i) where n.old is not null),
                (select array_agg(v_ids[n.i] order by n.i) from unnest(n_old) with ordinality n(old, i) where n.old is not null),
                'coalesced');
        end if;
        v_pending := v_rest;
        v_pending_graphs := v_rest_graphs;
    end loop;
end
$$;
comment on function orchestration._place(bigint[]) is 'Ended root task runs join, take over or open graph runs.';
