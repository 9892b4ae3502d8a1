create or replace function orchestration._replace(p_old bigint[], p_new bigint[], p_reason text) returns void
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set orchestration.engine = 'on'
as $$
-- Purpose: take-over, second half: what run `old` had not started is SKIPPED there, naming run `new`; what it had started ends there.
-- Parameters: element by element; reason coalesced (by an event) or superseded (by hand).
-- Calls:   _end_places.
-- Writes:  graph_run, task_run, awaited_root.
declare
    v_now timestamptz := orchestration._now();
    v_runs bigint[];
begin
    delete from orchestration.awaited_root a where a.graph_run_id = any (p_old);
    update orchestration.graph_run r set replaced_by_id = p.new_id, has_filled = true, reason = case when r.status = 'RUNNING' then p_reason else r.reason end, updated_at = v_now
    from unnest(p_old, p_new) p(old_id, new_id)
    where r.id = p.old_id;
    with born as (
        insert into orchestration.task_run (task_id, graph_run_id, run_key, status, reason, detail, finished_at, created_at, updated_at)
        select v.task_id, r.id, r.run_key, 'SKIPPED', p_reason, 'graph run ' || p.new_id || ' took over', v_now, v_now, v_now
        from unnest(p_old, p_new) p(old_id, new_id)
        cross join lateral (select x.id, x.run_key, x.version_id from orchestration.graph_run x where x.id = p.old_id and x.status = 'RUNNING' offset 0) r
        cross join lateral (select x.task_id from orchestration.graph_version_task x where x.version_id = r.version_id offset 0) v
        where not exists (select from orchestration.graph_run_task_run l where l.graph_run_id = r.id and l.task_id = v.task_id offset 0)
        order by r.id, v.task_id
        returning graph_run_id
    )
    select array_agg(graph_run_id) into v_runs from born;
    if v_runs is not null then
        perform orchestration._end_places(v_runs, array_fill('SKIPPED'::text, array[cardinality(v_runs)]));
    end if;
end
$$;
comment on function orchestration._replace(bigint[], bigint[], text) is 'Take-over, second half: ends what the old run had not started.';
