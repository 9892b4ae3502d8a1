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
-- Purpose: create the task runs of places that are ready, born DISPATCHED; the insert trigger links and sends them.
--          Where nothing can be sent to the task any more (it stands in an old version only) the run fails, reason config.
-- Parameters: places (graph run, task), element by element.
-- Writes:  task_run.
declare
    v_now timestamptz := orchestration._now();
    v_ids bigint[];
    v_count integer;
begin
    if cardinality(p_run_ids) is null or cardinality(p_run_ids) = 0 then
        return;
    end if;
    insert into orchestration.task_run (task_id, graph_run_id, run_key, status, config, dispatched_at, created_at, updated_at)
    select p.task_id, p.run_id, r.run_key, 'DISPATCHED', t.config_template, v_now, v_now, v_now
    from unnest(p_run_ids, p_task_ids) with ordinality p(run_id, task_id, i)
    cross join lateral (select x.run_key from orchestration.graph_run x where x.id = p.run_id offset 0) r
    cross join lateral (select x.config_template from orchestration.task x where x.id = p.task_id offset 0) t
    cross join lateral (select from orchestration.task_card x where x.task_id = p.task_id and x.dispatch_topic is not null offset 0) k
    order by p.i;
    get diagnostics v_count = row_count;
    if v_count < cardinality(p_run_ids) and exists (select from unnest(p_task_ids) p(task_id) join orchestration.task_card k on k.task_id = p.task_id where k.dispatch_topic is null) then
        with born as (
            insert into orchestration.task_run (task_id, graph_run_id, run_key, status, created_at, updated_at)
            select p.task_id, p.run_id, r.run_key, 'QUEUED', v_now, v_now
            from unnest(p_run_ids, p_task_ids) p(run_id, task_id)
            join orchestration.graph_run r on r.id = p.run_id
            join orchestration.task_card k on k.task_id = p.task_id and k.dispatch_topic is null
            returning id
        )
        select array_agg(id) into v_ids from born;
        update orchestration.task_run t
        set previous_status = t.status, status = 'FAILED', reason = 'config', detail = 'nothing can be sent to its service: it has no dispatch topic',
            finished_at = v_now, updated_at = v_now
        where t.id = any (v_ids);
    end if;
end
$$;
comment on function orchestration._start(bigint[], bigint[]) is 'Creates and so dispatches the task runs of ready places.';
