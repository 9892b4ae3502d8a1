create or replace function orchestration._place(p_task_run_ids bigint[]) returns bigint[]
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_mergejoin = off
set orchestration.engine = 'on'
as $$
-- Purpose: ended task runs of root tasks join, take over or open graph runs in every graph they are roots of and do not stand in yet, one
--          after the other in the given order, as _decide says (SPEC 4.1.6, 4.3). What it decides in memory is written set-based. A take-over
--          builds on rows, so where its base was touched in the same pass the rest of the group waits for the next pass.
-- Parameters: task runs SUCCESS, FAILED or SKIPPED, in the order of their events.
-- Returns: those that every graph concerned rejected (repeat_policy reject); null: none. Each rejection is in the history.
-- Locks:   one advisory lock a (graph, key), sorted; then graph_run rows in id order.
-- Calls:   _compile_around, _lock_groups, _redone_in, _decide, _open_taken_over, _settle, _start, _replace, _record_rejected.
-- Writes:  graph_run, graph_run_task_run, awaited_root, task_run.shared.
declare
    v_now timestamptz := orchestration._now();
    v_pending bigint[];                -- task runs still to place, with their graphs
    v_pending_graphs bigint[];
    d record;                          -- what _decide said
    v_entered bigint[] := '{}'::bigint[]; v_rejected bigint[] := '{}'::bigint[];
    v_ids bigint[];
    p_run bigint[]; p_item bigint[]; p_task bigint[]; p_status text[];
    v_old bigint[];
    v_more record;
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
        return null;
    end if;
    perform orchestration._lock_groups(array_agg(p.graph_id), array_agg(t.run_key))
    from unnest(v_pending, v_pending_graphs) p(id, graph_id)
    cross join lateral (select x.task_id, x.run_key from orchestration.task_run x where x.id = p.id offset 0) t
    -- a graph of one root, without key, awaits nothing: its events do not meet
    where t.run_key is not null
       or exists (select from orchestration.awaited_root a where a.task_id = t.task_id and a.graph_id = p.graph_id offset 0)
       or not exists (select from orchestration.graph_root r where r.task_id = t.task_id and r.graph_id = p.graph_id and r.root_count = 1 offset 0);

    while v_pending is not null loop
        select x.* into d
        from (select array_agg(p.graph_id order by p.i) as graphs, array_agg(t.run_key order by p.i) as keys, array_agg(t.id order by p.i) as ids,
                     array_agg(t.task_id order by p.i) as tasks, array_agg(t.status order by p.i) as statuses,
                     array_agg(case when t.graph_run_id is not null then orchestration._redone_in(t.graph_run_id, t.task_id, p.graph_id) end order by p.i) as redone
              from unnest(v_pending, v_pending_graphs) with ordinality p(id, graph_id, i)
              cross join lateral (select x.id, x.task_id, x.status, x.run_key, x.graph_run_id from orchestration.task_run x where x.id = p.id offset 0) t) i
        cross join lateral orchestration._decide(i.graphs, i.keys, i.ids, i.tasks, i.statuses, i.redone) x;
        v_ready_runs := null; v_ready_tasks := null;

        -- write it down
        if cardinality(d.n_graph) > 0 then
            -- runs get their ids in the order of the events that open them
            select array_agg(x.id order by x.k) into v_ids
            from (select n.k, nextval('orchestration.graph_run_id_seq') as id
                  from (select -p.run_id as k from unnest(d.p_run, d.p_at) p(run_id, at) where p.run_id < 0 group by p.run_id order by min(p.at), -p.run_id) n) x;
            insert into orchestration.graph_run (id, graph_id, version_id, run_key, open_count, opened_by, replaces_id, created_at, updated_at)
            select v_ids[n.i], n.graph_id, h.version_id, n.run_key, v.task_count, 'event', case when n.old < 0 then v_ids[-n.old] else n.old end, v_now, v_now
            from unnest(d.n_graph, d.n_key, d.n_old) with ordinality n(graph_id, run_key, old, i)
            cross join lateral (select x.version_id from orchestration.graph_head x where x.graph_id = n.graph_id offset 0) h
            cross join lateral (select x.task_count from orchestration.graph_version x where x.id = h.version_id offset 0) v;
            insert into orchestration.awaited_root (graph_run_id, task_id, graph_id, run_key, by_event)
            select v_ids[-a.run_id], a.task_id, d.n_graph[-a.run_id], coalesce(d.n_key[-a.run_id], ''), true
            from unnest(d.a_run, d.a_task) a(run_id, task_id);
        end if;
        if exists (select from unnest(d.p_run) r where r > 0) or exists (select from unnest(d.n_old) o where o > 0) then
            perform from orchestration.graph_run r
            where r.id = any (array(select x from unnest(d.p_run) x where x > 0 union select x from unnest(d.n_old) x where x > 0 union select x from unnest(d.m_old) x))
            order by r.id for no key update;
            delete from orchestration.awaited_root a
            where a.graph_run_id = any (d.p_run) and case when (a.graph_run_id, a.task_id) in (select p.run_id, p.task_id from unnest(d.p_run, d.p_task) p(run_id, task_id)) then true end;
        end if;
        -- what is started is started in the order of the events, in whatever graphs
        select array_agg(case when p.run_id < 0 then v_ids[-p.run_id] else p.run_id end order by p.at, p.i), array_agg(p.id order by p.at, p.i),
               array_agg(p.task_id order by p.at, p.i), array_agg(p.status order by p.at, p.i)
        into p_run, p_item, p_task, p_status
        from unnest(d.p_run, d.p_item, d.p_at, d.p_task, d.p_status) with ordinality p(run_id, id, at, task_id, status, i);
        v_old := array(select case when n.old < 0 then v_ids[-n.old] else n.old end from unnest(d.n_old) with ordinality n(old, i) order by n.i);
        if exists (select from unnest(v_old) o where o is not null) then
            select o.ready_runs, o.ready_tasks into v_ready_runs, v_ready_tasks
            from orchestration._open_taken_over(
                (select array_agg(v_ids[n.i] order by n.i) from unnest(d.n_base) with ordinality n(base, i) where n.base is not null),
                (select array_agg(n.base order by n.i) from unnest(d.n_base) with ordinality n(base, i) where n.base is not null),
                (select array_agg(d.n_root[n.i] order by n.i) from unnest(d.n_base) with ordinality n(base, i) where n.base is not null)) o;
        end if;
        insert into orchestration.graph_run_task_run (graph_run_id, task_run_id, task_id)
        select p.run_id, p.task_run_id, p.task_id from unnest(p_run, p_item, p_task) p(run_id, task_run_id, task_id);
        if cardinality(d.m_old) > 0 then
            -- several runs that await roots end in one: what it awaits it gets from the newest of them that has it
            with have as materialized (
                select distinct on (a.graph_run_id, a.task_id) a.graph_run_id, a.task_id, l.task_run_id, l.attempt, t.status, t.finished_at
                from unnest(d.m_old, d.m_new) m(old, new)
                cross join lateral (select x.graph_run_id, x.task_id from orchestration.awaited_root x where x.graph_run_id = v_ids[-m.new] offset 0) a
                cross join lateral (select x.task_run_id, x.attempt from orchestration.graph_run_task_run x where x.graph_run_id = m.old and x.task_id = a.task_id
                                    order by x.attempt desc limit 1) l
                cross join lateral (select x.status, x.finished_at from orchestration.task_run x where x.id = l.task_run_id offset 0) t
                order by a.graph_run_id, a.task_id, m.old desc
            ), linked as (
                insert into orchestration.graph_run_task_run (graph_run_id, task_run_id, task_id, attempt)
                select h.graph_run_id, h.task_run_id, h.task_id, h.attempt from have h
            ), served as (
                delete from orchestration.awaited_root a
                where a.graph_run_id = any (array(select h.graph_run_id from have h)) and (a.graph_run_id, a.task_id) in (select h.graph_run_id, h.task_id from have h)
            ), flagged as (
                update orchestration.task_run t set shared = true, updated_at = orchestration._now()
                where t.id = any (array(select h.task_run_id from have h)) and not t.shared and t.finished_at is null
            )
            select array_agg(h.graph_run_id) as runs, array_agg(h.task_id) as tasks, array_agg(h.status) as statuses into v_more
            from have h where h.finished_at is not null;
            p_run := p_run || coalesce(v_more.runs, '{}'); p_task := p_task || coalesce(v_more.tasks, '{}'); p_status := p_status || coalesce(v_more.statuses, '{}');
        end if;
        perform orchestration._settle(p_run, p_task, p_status);
        if v_ready_runs is not null then
            perform orchestration._start(v_ready_runs, v_ready_tasks);
        end if;
        if exists (select from unnest(v_old) o where o is not null) then
            perform orchestration._replace(
                (select array_agg(n.old order by n.i) from unnest(v_old) with ordinality n(old, i) where n.old is not null) || d.m_old,
                (select array_agg(v_ids[n.i] order by n.i) from unnest(v_old) with ordinality n(old, i) where n.old is not null)
                    || array(select v_ids[-m.new] from unnest(d.m_new) with ordinality m(new, i) order by m.i),
                'coalesced');
        end if;
        if cardinality(d.r_item) > 0 then
            perform orchestration._record_rejected(d.r_item, d.r_graph, d.r_run, v_ids);
            v_rejected := v_rejected || d.r_item;
        end if;
        v_entered := v_entered || d.p_item;
        v_pending := d.rest_item;
        v_pending_graphs := d.rest_graph;
    end loop;
    if cardinality(v_rejected) > 0 then
        return (select array_agg(distinct x.id) from unnest(v_rejected) x(id) where not x.id = any (v_entered));
    end if;
    return null;
end
$$;
comment on function orchestration._place(bigint[]) is 'Ended root task runs join, take over or open graph runs.';
