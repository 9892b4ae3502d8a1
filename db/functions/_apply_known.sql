create or replace function orchestration._apply_known(p_ids bigint[], p_statuses text[], p_matches text[], p_exts text[], p_details text[], p_results jsonb[], p_keys text[]) returns bigint[]
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_nestloop = off
set enable_hashjoin = on
set enable_mergejoin = off
set orchestration.engine = 'on'
as $$
-- Purpose: bring events to the task runs they belong to, in one UPDATE; its triggers do all that follows. An event that changes nothing
--          (late, repeated) leaves its row alone. The rows are found by id = any (array) and hash-joined to the events: linear in any plan.
--          Work a tool started by itself joins under the run key of the event that ends it, whatever a RUNNING said before.
-- Parameters: element by element; each task run once.
--          Their order reaches the triggers as the setting orchestration.order.
-- Returns: the task runs that were touched.
-- Writes:  task_run.
declare
    v_now timestamptz := orchestration._now();
    v_hit bigint[];
begin
    if cardinality(p_ids) > 1 then
        perform set_config('orchestration.order', array_to_string(p_ids, ','), true);
    end if;
    with hit as (
        update orchestration.task_run t
        set previous_status = case when e.status = 'ACCEPTED' then t.previous_status else t.status end,
            status = case when e.status = 'ACCEPTED' then t.status else e.status end,
            accepted_at = case when t.dispatched_at is not null then coalesce(t.accepted_at, v_now) end,
            started_at = case when e.status = 'RUNNING' then v_now else t.started_at end,
            finished_at = case when e.status in ('SUCCESS', 'FAILED', 'SKIPPED') then v_now end,
            external_id = coalesce(t.external_id, e.ext),
            detail = coalesce(e.detail, case when e.status = 'ACCEPTED' then t.detail end),
            result = coalesce(e.result, t.result),
            matched_by = e.match,
            run_key = case when e.status in ('SUCCESS', 'FAILED', 'SKIPPED') and t.graph_run_id is null and t.dispatched_at is null and t.attempt = 1 then e.key else t.run_key end,
            updated_at = v_now
        from (select p_ids[i] as id, p_statuses[i] as status, p_matches[i] as match, p_exts[i] as ext, p_details[i] as detail, p_results[i] as result, p_keys[i] as key
              from generate_series(1, cardinality(p_ids)) i offset 0) e
        where t.id = e.id and t.id = any (p_ids)
          and t.finished_at is null and (t.status <> 'RUNNING' or e.status <> 'RUNNING')
        returning t.id
    )
    select array_agg(h.id) into v_hit from hit h;
    if cardinality(p_ids) > 1 then
        perform set_config('orchestration.order', '', true);
    end if;
    return v_hit;
end
$$;
comment on function orchestration._apply_known(bigint[], text[], text[], text[], text[], jsonb[], text[]) is 'Brings events to their task runs.';
