create or replace function orchestration._decide(
    p_graphs bigint[], p_keys text[], p_items bigint[], p_tasks bigint[], p_statuses text[], p_redone bigint[],
    -- runs to open; their ordinal, negated, stands for the id until it is drawn: graph, key, from what and of whom they take over, from which root
    out n_graph bigint[], out n_key text[], out n_base bigint[], out n_old bigint[], out n_root bigint[],
    -- placements, each with the ordinal of what was given
    out p_run bigint[], out p_item bigint[], out p_at integer[], out p_task bigint[], out p_status text[],
    -- roots awaited by runs to open
    out a_run bigint[], out a_task bigint[],
    -- runs that await roots and end together with the one taken over
    out m_old bigint[], out m_new bigint[],
    -- rejected, by which graph, because of which run
    out r_item bigint[], out r_graph bigint[], out r_run bigint[],
    -- for the next pass
    out rest_item bigint[], out rest_graph bigint[])
language plpgsql stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_mergejoin = off
as $$
-- Purpose: what ended roots meet in the graphs they are roots of, one after the other in the given order (SPEC 4.1.6, 4.3). In each graph:
--          1. where a redone task run stood in a run of the graph, a take-over of that; 2. else the oldest open event-opened run of that key
--          that awaits the root; 3. else the oldest such run opened by hand; 4. else by the graph's repeat_policy as it is now.
--          latest: a take-over of the run that awaits roots, with a key of the newest of the key; other runs that await roots (left from
--          another policy) end with it. Any policy: a take-over of the newest run that has the root, where it did not succeed there: by a
--          SUCCESS while that is open, with a key ever; by another report while it awaits roots. reject: rejected where a run that awaits
--          roots has the root. Else a new run.
--          Decides in memory, group by group, and changes nothing. A take-over builds on rows, so it ends the pass of its group, and where the
--          group was touched before it in the pass it waits for the next; a row of repeats of one root is one pass.
-- Parameters: element by element: graph, run key, an item (a task run, or whatever the caller knows it by), its task, its status, the run of
--          the graph that the task run was redone from.
declare
    g record;
    -- the group: (run, root) that events await, null once served; the same of runs opened by hand; newest run
    l_ids bigint[]; l_ats integer[]; l_tasks bigint[]; l_statuses text[]; l_redone bigint[];
    w_runs bigint[]; w_tasks bigint[]; h_runs bigint[]; h_tasks bigint[]; v_newest bigint;
    -- per root: the newest run that has it, whether its next report is a repeat there, and whether the rows were asked
    s_task bigint[]; s_run bigint[]; s_ok boolean[]; s_asked boolean[];
    v_touched boolean; v_waits boolean; v_task bigint; v_ok boolean; v_i integer; v_at integer; v_s integer; v_run bigint; v_base bigint; v_row boolean;
    v_block bigint; v_block_task bigint;
    v_found record;
begin
    n_graph := '{}'; n_key := '{}'; n_base := '{}'; n_old := '{}'; n_root := '{}'; p_run := '{}'; p_item := '{}'; p_at := '{}'; p_task := '{}'; p_status := '{}';
    a_run := '{}'; a_task := '{}'; m_old := '{}'; m_new := '{}'; r_item := '{}'; r_graph := '{}'; r_run := '{}';
    for g in
        with folded as materialized (
            select i.graph_id, i.run_key, array_agg(i.id order by i.i) as ids, array_agg(i.i::integer order by i.i) as ats, array_agg(i.task_id order by i.i) as tasks,
                   array_agg(i.status order by i.i) as statuses, array_agg(i.redone order by i.i) as redone, count(*)::integer as n
            from unnest(p_graphs, p_keys, p_items, p_tasks, p_statuses, p_redone) with ordinality i(graph_id, run_key, id, task_id, status, redone, i)
            group by i.graph_id, i.run_key
        )
        select i.graph_id, i.run_key, i.ids, i.ats, i.tasks, i.statuses, i.redone, i.n, y.repeat_policy as policy, h.roots,
               w.runs as wait_runs, w.tasks as wait_tasks, b.runs as hand_runs, b.tasks as hand_tasks, e.id as newest
        from folded i
        cross join lateral (select x.repeat_policy from orchestration.graph x where x.id = i.graph_id offset 0) y
        left join lateral (select array_agg(r.task_id) as roots from orchestration.graph_root r where r.graph_id = i.graph_id) h on true
        -- latest: the newest event-opened run, which may await a root that is none any more
        left join lateral (
            (select r.id from orchestration.graph_run r
             where y.repeat_policy = 'latest' and r.graph_id = i.graph_id and r.run_key = i.run_key and r.opened_by = 'event'
             order by r.id desc limit 1)
            union all
            (select r.id from orchestration.graph_run r
             where i.run_key is null and y.repeat_policy = 'latest'
               and r.graph_id = i.graph_id and r.run_key is null and r.opened_by = 'event'
             order by r.id desc limit 1)) e on true
        -- who awaits: of a run's many that await the same root no more are looked at than there are items
        left join lateral (
            select array_agg(x.graph_run_id order by x.graph_run_id, x.task_id) as runs, array_agg(x.task_id order by x.graph_run_id, x.task_id) as tasks
            from (select a.graph_run_id, a.task_id
                  from (select distinct u.id from unnest(h.roots || i.tasks) u(id)) t
                  cross join lateral (
                      select v.graph_run_id, v.task_id from orchestration.awaited_root v
                      where v.by_event and v.task_id = t.id and v.graph_id = i.graph_id and v.run_key = coalesce(i.run_key, '')
                      order by v.graph_run_id
                      limit case when y.repeat_policy = 'latest' then null else i.n + 1 end) a
                  union
                  select a.graph_run_id, a.task_id from orchestration.awaited_root a where a.graph_run_id = e.id) x) w on true
        left join lateral (
            select array_agg(a.graph_run_id order by a.graph_run_id, a.task_id) as runs, array_agg(a.task_id order by a.graph_run_id, a.task_id) as tasks
            from orchestration.awaited_root a
            where not a.by_event and a.run_key = coalesce(i.run_key, '') and a.graph_id = i.graph_id
              and a.task_id = any (h.roots || i.tasks)) b on true
        order by i.graph_id, i.run_key
    loop
        -- arrays of a record are walked from their beginning at each subscript, those of variables are not
        l_ids := g.ids; l_ats := g.ats; l_tasks := g.tasks; l_statuses := g.statuses; l_redone := g.redone;
        w_runs := coalesce(g.wait_runs, '{}'); w_tasks := coalesce(g.wait_tasks, '{}');
        h_runs := coalesce(g.hand_runs, '{}'); h_tasks := coalesce(g.hand_tasks, '{}');
        v_newest := g.newest; v_touched := false; v_block := null;
        s_task := '{}'; s_run := '{}'; s_ok := '{}'; s_asked := '{}';
        v_i := 1;
        while v_i <= g.n loop
            v_task := l_tasks[v_i];
            v_ok := l_statuses[v_i] = 'SUCCESS';
            v_run := null; v_s := null;
            v_base := case when v_task = any (g.roots) then l_redone[v_i] end;
            v_at := case when v_base is null then array_position(w_tasks, v_task) end;
            if v_at is not null then
                -- joins the oldest run that awaits it
                v_run := w_runs[v_at];
                w_runs[v_at] := null; w_tasks[v_at] := null;
                v_touched := true;
                v_s := array_position(s_task, v_task);
                if v_s is null then
                    s_task := s_task || v_task; s_run := s_run || v_run; s_ok := s_ok || v_ok; s_asked := s_asked || false;
                elsif s_run[v_s] is null or v_run < 0 and v_run < s_run[v_s] or v_run > s_run[v_s] and s_run[v_s] > 0 then
                    s_run[v_s] := v_run; s_ok[v_s] := v_ok;
                end if;
            elsif v_base is null and v_task = any (h_tasks) then
                -- a run opened by hand awaits it, the oldest first
                v_at := array_position(h_tasks, v_task);
                v_run := h_runs[v_at];
                h_runs[v_at] := null; h_tasks[v_at] := null;
            elsif v_task = any (g.roots) then
                if v_base is not null then
                    null;
                elsif g.policy = 'latest' and g.run_key is not null then
                    v_base := v_newest;
                elsif g.policy = 'latest' and cardinality(w_runs) > 0 then
                    -- the newest run that awaits roots; there is one, unless another policy left more
                    select x.run into v_base from unnest(w_runs) x(run) where x.run is not null order by x.run < 0 desc, abs(x.run) desc limit 1;
                end if;
                if v_base is null and (cardinality(g.roots) > 1 and g.run_key is null and v_ok or g.policy <> 'latest' and (cardinality(g.roots) > 1 or g.run_key is not null)) then
                    -- a root that did not succeed where it stands is no repeat
                    v_s := array_position(s_task, v_task);
                    if v_s is null then
                        v_s := cardinality(s_task) + 1;
                        s_task := s_task || v_task; s_run := s_run || null::bigint; s_ok := s_ok || true; s_asked := s_asked || false;
                    end if;
                    if not s_asked[v_s] then
                        s_asked[v_s] := true;
                        select x.run_id, x.ok, x.waits into v_found from orchestration._root_stands(g.graph_id, g.run_key, v_task) x;
                        if s_run[v_s] is null or (s_run[v_s] > 0 and v_found.run_id > s_run[v_s]) then
                            s_run[v_s] := v_found.run_id; s_ok[v_s] := v_found.ok; v_waits := v_found.waits;
                        end if;
                    end if;
                    if not s_ok[v_s] and (v_ok or case when s_run[v_s] < 0 then array_position(w_runs, s_run[v_s]) is not null else v_touched or v_waits end) then
                        v_base := s_run[v_s];
                    end if;
                end if;
                if v_base is not null then
                    -- take-over: the last of the group in this pass, with all repeats of the same root that follow at once
                    exit when v_touched;
                    n_graph := n_graph || g.graph_id; n_key := n_key || g.run_key; n_root := n_root || v_task; n_base := n_base || v_base; n_old := n_old || v_base;
                    v_run := (-cardinality(n_graph))::bigint;
                    p_run := p_run || v_run; p_item := p_item || l_ids[v_i]; p_at := p_at || l_ats[v_i]; p_task := p_task || v_task; p_status := p_status || l_statuses[v_i];
                    v_row := l_redone[v_i] is null and coalesce(g.policy = 'latest' and g.run_key is not null or v_base = any (w_runs) and (g.policy = 'latest' or not v_ok), false)
                             and (select r.version_id from orchestration.graph_run r where r.id = v_base) = (select x.version_id from orchestration.graph_head x where x.graph_id = g.graph_id);
                    if g.policy = 'latest' and l_redone[v_i] is null then
                        select m_old || coalesce(array_agg(x.run), '{}'), m_new || coalesce(array_agg(v_run), '{}') into m_old, m_new
                        from (select distinct u.run from unnest(w_runs) u(run) where u.run <> v_base) x;
                        v_row := v_row and not coalesce(v_run = m_new[cardinality(m_new)], false);
                    end if;
                    v_i := v_i + 1;
                    while v_row and v_i <= g.n and l_tasks[v_i] = v_task and (l_statuses[v_i] = 'SUCCESS') = v_ok and l_redone[v_i] is null loop
                        n_graph := n_graph || g.graph_id; n_key := n_key || g.run_key; n_root := n_root || v_task; n_base := n_base || v_base; n_old := n_old || v_run;
                        v_run := (-cardinality(n_graph))::bigint;
                        p_run := p_run || v_run; p_item := p_item || l_ids[v_i]; p_at := p_at || l_ats[v_i]; p_task := p_task || v_task; p_status := p_status || l_statuses[v_i];
                        v_i := v_i + 1;
                    end loop;
                    exit;
                end if;
                if g.policy = 'reject' then
                    if v_block is null or array_position(w_runs, v_block) is null or v_block_task <> v_task then
                        v_block_task := v_task;
                        -- a run that awaits other roots and has this one; one opened in this pass has every root it does not await
                        select x.run into v_block
                        from (select distinct u.run from unnest(w_runs) u(run) where u.run is not null) x
                        where x.run < 0
                           or exists (select from unnest(p_run, p_task) q(run, task) where q.run = x.run and q.task = v_task)
                           or exists (select from orchestration.graph_run_task_run l where l.graph_run_id = x.run and l.task_id = v_task offset 0)
                        order by x.run < 0, abs(x.run) limit 1;
                    end if;
                    if v_block is not null then
                        r_item := r_item || l_ids[v_i]; r_graph := r_graph || g.graph_id; r_run := r_run || v_block;
                        v_i := v_i + 1;
                        continue;
                    end if;
                end if;
                -- a new run
                n_graph := n_graph || g.graph_id; n_key := n_key || g.run_key; n_root := n_root || v_task; n_base := n_base || null::bigint; n_old := n_old || null::bigint;
                v_run := (-cardinality(n_graph))::bigint;
                v_newest := v_run;
                v_touched := true;
                if cardinality(g.roots) > 1 then
                    w_runs := w_runs || array_fill(v_run, array[cardinality(g.roots) - 1]);
                    w_tasks := w_tasks || array_remove(g.roots, v_task);
                end if;
                if v_s is not null then
                    s_run[v_s] := v_run; s_ok[v_s] := v_ok;
                elsif g.run_key is null and cardinality(g.roots) > 1 then
                    v_s := coalesce(array_position(s_task, v_task), cardinality(s_task) + 1);
                    s_task[v_s] := v_task; s_run[v_s] := v_run; s_ok[v_s] := v_ok; s_asked[v_s] := true;
                end if;
            end if;
            if v_run is not null then
                p_run := p_run || v_run; p_item := p_item || l_ids[v_i]; p_at := p_at || l_ats[v_i]; p_task := p_task || v_task; p_status := p_status || l_statuses[v_i];
            end if;
            v_i := v_i + 1;
        end loop;
        if cardinality(n_graph) > 0 then
            select a_run || coalesce(array_agg(x.run), '{}'), a_task || coalesce(array_agg(x.task), '{}') into a_run, a_task
            from unnest(w_runs, w_tasks) x(run, task) where x.run < 0;
        end if;
        if v_i <= g.n then
            rest_item := rest_item || l_ids[v_i:];
            rest_graph := rest_graph || array_fill(g.graph_id, array[g.n - v_i + 1]);
        end if;
    end loop;
end
$$;
comment on function orchestration._decide(bigint[], text[], bigint[], bigint[], text[], bigint[]) is 'What ended roots meet in the graphs they are roots of.';
