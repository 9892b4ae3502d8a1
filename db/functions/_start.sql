create or replace function orchestration._start(p_run_ids bigint[], p_task_ids bigint[]) returns void
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set orchestration.engine = 'on'
as $$
-- Purpose: create the task runs of places that are ready, born DISPATCHED; the insert trigger links and sends them. Where the graph is
--          paused they are born QUEUED and held: due_at infinity, until the resume sends them.
--          Where nothing can be sent to the task any more (it stands in an old version only), or a placeholder of its config template
--          finds nothing, the run fails, reason config.
-- Parameters: places (graph run, task), element by element.
-- Calls:   _paused_graphs, _render.
-- Writes:  task_run.
declare
    v_now timestamptz := orchestration._now();
    v_ids bigint[];
    v_count integer;
    v_paused bigint[] := '{}'::bigint[];
    v_templated integer[];
    v_configs jsonb[];
    v_problems text[];
    v_rendered record;
begin
    if cardinality(p_run_ids) is null or cardinality(p_run_ids) = 0 then
        return;
    end if;
    if exists (select from orchestration.graph_pause g where g.resumed_at is null) then
        v_paused := orchestration._paused_graphs(p_run_ids);
    end if;
    if exists (select from orchestration.task_placeholder) then
        select array_agg(p.i::integer order by p.i) into v_templated
        from unnest(p_run_ids, p_task_ids) with ordinality p(run_id, task_id, i)
        cross join lateral (select from orchestration.task_card x where x.task_id = p.task_id and x.templated and x.dispatch_topic is not null offset 0) k
        cross join lateral (select x.graph_id from orchestration.graph_run x where x.id = p.run_id offset 0) r
        where not coalesce(r.graph_id = any (v_paused), false);
    end if;
    if v_templated is not null then
        v_configs := array_fill(null::jsonb, array[cardinality(p_run_ids)]);
        v_problems := array_fill(null::text, array[cardinality(p_run_ids)]);
        for v_rendered in
            select x.i, x.config, x.problem
            from orchestration._render(array(select p_run_ids[a.i] from unnest(v_templated) with ordinality a(i, o) order by a.o),
                                       array(select p_task_ids[a.i] from unnest(v_templated) with ordinality a(i, o) order by a.o),
                                       array_fill(1, array[cardinality(v_templated)]), null) x
        loop
            v_configs[v_templated[v_rendered.i]] := v_rendered.config;
            v_problems[v_templated[v_rendered.i]] := v_rendered.problem;
        end loop;
    end if;
    insert into orchestration.task_run (task_id, graph_run_id, run_key, status, config, dispatched_at, timeout, ack_timeout, due_at, detail, created_at, updated_at)
    select p_task_ids[p.i], p_run_ids[p.i], r.run_key, case when h.held then 'QUEUED' else 'DISPATCHED' end, case when not h.held then coalesce(v_configs[p.i], t.config_template) end,
           case when not h.held then v_now end, case when not h.held then t.timeout end, case when not h.held then t.ack_timeout end,
           case when h.held then 'infinity' else v_now + least(coalesce(t.ack_timeout, k.ack_timeout), t.timeout) end,
           case when h.held then 'held: the graph is paused' end, v_now, v_now
    from generate_series(1, cardinality(p_run_ids)) p(i)
    cross join lateral (select x.run_key, x.graph_id from orchestration.graph_run x where x.id = p_run_ids[p.i] offset 0) r
    cross join lateral (select x.config_template, x.timeout, x.ack_timeout from orchestration.task x where x.id = p_task_ids[p.i] offset 0) t
    cross join lateral (select case when x.echoes_ids then interval '5 minutes' end as ack_timeout
                        from orchestration.task_card x where x.task_id = p_task_ids[p.i] and x.dispatch_topic is not null offset 0) k
    cross join lateral (select coalesce(r.graph_id = any (v_paused), false) as held) h
    where v_problems[p.i] is null;
    get diagnostics v_count = row_count;
    if v_count < cardinality(p_run_ids) then
        with born as (
            insert into orchestration.task_run (task_id, graph_run_id, run_key, status, detail, created_at, updated_at)
            select p.task_id, p.run_id, r.run_key, 'QUEUED', coalesce(p.problem, 'nothing can be sent to its service: it has no dispatch topic'), v_now, v_now
            from unnest(p_run_ids, p_task_ids, v_problems) with ordinality p(run_id, task_id, problem, i)
            cross join lateral (select x.run_key from orchestration.graph_run x where x.id = p.run_id offset 0) r
            cross join lateral (select x.dispatch_topic from orchestration.task_card x where x.task_id = p.task_id offset 0) k
            where k.dispatch_topic is null or p.problem is not null
            order by p.i
            returning id
        )
        select array_agg(id) into v_ids from born;
        update orchestration.task_run t
        set previous_status = t.status, status = 'FAILED', reason = 'config', finished_at = v_now, updated_at = v_now
        where t.id = any (v_ids);
    end if;
end
$$;
comment on function orchestration._start(bigint[], bigint[]) is 'Creates and so dispatches the task runs of ready places.';
