create or replace function orchestration._dispatch(p_task_run_ids bigint[]) returns integer
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set orchestration.engine = 'on'
as $$
-- Purpose: QUEUED task runs whose time has come: one UPDATE to DISPATCHED with config, time-outs and the next instant to look at them; its
--          trigger sends them. Where the graph of the home run is paused they are held instead (due_at infinity) until the resume. Where
--          nothing can be sent to the task any more, or a placeholder of its config template finds nothing, they are FAILED, reason config. Others than QUEUED ones are passed over.
-- Returns: how many were dispatched.
-- Locks:   graph_run rows in id order, then task_run rows in id order.
-- Calls:   _paused_graphs, _render.
-- Writes:  task_run.
declare
    v_now timestamptz := orchestration._now();
    v_ids bigint[];
    v_held bigint[];
    v_dumb bigint[];
    v_paused bigint[] := '{}'::bigint[];
    v_templated bigint[];
    v_rendered record;
    v_count integer;
begin
    perform from orchestration.graph_run r
    where r.id = any (array(select l.graph_run_id from unnest(p_task_run_ids) p(id)
                            cross join lateral (select x.graph_run_id from orchestration.graph_run_task_run x where x.task_run_id = p.id offset 0) l))
    order by r.id for no key update;
    v_ids := array(select t.id from orchestration.task_run t where t.id = any (p_task_run_ids) and t.status is not distinct from 'QUEUED' order by t.id for no key update);
    if exists (select from orchestration.graph_pause g where g.resumed_at is null) then
        v_paused := orchestration._paused_graphs(array(select distinct t.graph_run_id from orchestration.task_run t where t.id = any (v_ids)));
    end if;
    select array_agg(x.id order by x.i) filter (where not x.held and x.dispatchable), array_agg(x.id) filter (where x.held),
           array_agg(x.id) filter (where not x.held and not x.dispatchable)
    into v_ids, v_held, v_dumb
    from (select p.id, p.i, coalesce(r.graph_id = any (v_paused), false) as held, k.dispatch_topic is not null as dispatchable
          from unnest(v_ids) with ordinality p(id, i)
          cross join lateral (select y.task_id, y.graph_run_id from orchestration.task_run y where y.id = p.id offset 0) t
          cross join lateral (select y.dispatch_topic from orchestration.task_card y where y.task_id = t.task_id offset 0) k
          left join lateral (select y.graph_id from orchestration.graph_run y where y.id = t.graph_run_id offset 0) r on true) x;
    if v_held is not null then
        update orchestration.task_run t set due_at = 'infinity', updated_at = v_now where t.id = any (v_held) and t.due_at is distinct from 'infinity';
    end if;
    if v_dumb is not null then
        update orchestration.task_run t
        set previous_status = t.status, status = 'FAILED', reason = 'config', detail = 'nothing can be sent to its service: it has no dispatch topic',
            finished_at = v_now, updated_at = v_now
        where t.id = any (v_dumb);
    end if;
    if v_ids is not null and exists (select from orchestration.task_placeholder) then
        select array_agg(t.id order by p.i) into v_templated
        from unnest(v_ids) with ordinality p(id, i)
        cross join lateral (select y.id, y.task_id from orchestration.task_run y where y.id = p.id and y.config is null offset 0) t
        cross join lateral (select from orchestration.task_card y where y.task_id = t.task_id and y.templated offset 0) k;
    end if;
    if v_templated is not null then
        select array_agg(v_templated[x.i]) filter (where x.problem is null) as ids, array_agg(x.config) filter (where x.problem is null) as configs,
               array_agg(v_templated[x.i]) filter (where x.problem is not null) as dumb, array_agg(x.problem) filter (where x.problem is not null) as problems
        into v_rendered
        from (select array_agg(t.graph_run_id order by p.i) as run_ids, array_agg(t.task_id order by p.i) as task_ids,
                     array_agg(t.attempt order by p.i) as attempts, array_agg(t.run_key order by p.i) as run_keys
              from unnest(v_templated) with ordinality p(id, i)
              cross join lateral (select y.graph_run_id, y.task_id, y.attempt, y.run_key from orchestration.task_run y where y.id = p.id offset 0) t) a
        cross join lateral orchestration._render(a.run_ids, a.task_ids, a.attempts, a.run_keys) x;
        if v_rendered.ids is not null then
            update orchestration.task_run t set config = c.config from unnest(v_rendered.ids, v_rendered.configs) c(id, config) where t.id = c.id;
        end if;
        if v_rendered.dumb is not null then
            update orchestration.task_run t
            set previous_status = t.status, status = 'FAILED', reason = 'config', detail = c.problem, finished_at = v_now, updated_at = v_now
            from unnest(v_rendered.dumb, v_rendered.problems) c(id, problem)
            where t.id = c.id;
            v_ids := nullif(array(select p.id from unnest(v_ids) with ordinality p(id, i) where p.id <> all (v_rendered.dumb) order by p.i), '{}');
        end if;
    end if;
    if v_ids is null then
        return 0;
    end if;
    update orchestration.task_run t
    set previous_status = t.status, status = 'DISPATCHED', dispatched_at = v_now, detail = null, updated_at = v_now,
        (config, timeout, ack_timeout, due_at) = (
            select coalesce(t.config, x.config_template), x.timeout, x.ack_timeout, v_now + least(coalesce(x.ack_timeout, case when k.echoes_ids then interval '5 minutes' end), x.timeout)
            from orchestration.task x cross join lateral (select y.echoes_ids from orchestration.task_card y where y.task_id = x.id offset 0) k
            where x.id = t.task_id)
    where t.id = any (v_ids);
    get diagnostics v_count = row_count;
    return v_count;
end
$$;
comment on function orchestration._dispatch(bigint[]) is 'Dispatches QUEUED task runs whose time has come; holds those of paused graphs.';
