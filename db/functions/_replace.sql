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
--          QUEUED (it waits for a retry or a pause) is not started: it is SKIPPED too unless an open run that goes on shares it.
-- Parameters: element by element; reason coalesced (by an event) or superseded (by hand).
-- Calls:   _end_places.
-- Writes:  graph_run, task_run, awaited_root.
declare
    v_now timestamptz := orchestration._now();
    v_runs bigint[];
    v_queued bigint[];
    v_homes bigint[];
begin
    delete from orchestration.awaited_root a where a.graph_run_id = any (p_old);
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
    if exists (select from orchestration.task_run t where t.status = 'QUEUED') then
        select array_agg(distinct t.id), array_agg(distinct p.old_id) into v_queued, v_homes
        from unnest(p_old) p(old_id)
        cross join lateral (select x.id from orchestration.graph_run x where x.id = p.old_id and x.status = 'RUNNING' offset 0) r
        cross join lateral (select x.task_run_id from orchestration.graph_run_task_run x where x.graph_run_id = r.id offset 0) l
        cross join lateral (select x.id from orchestration.task_run x where x.id = l.task_run_id and x.status is not distinct from 'QUEUED' offset 0) t
        where not exists (select from orchestration.graph_run_task_run o
                          where o.task_run_id = t.id and not o.graph_run_id = any (p_old)
                            and (select x.status from orchestration.graph_run x where x.id = o.graph_run_id) = 'RUNNING' offset 0);
    end if;
    update orchestration.graph_run r
    set replaced_by_id = p.new_id, has_filled = true, updated_at = v_now,
        reason = case when r.status = 'RUNNING' and (r.id = any (v_runs) or r.id = any (v_homes)) then p_reason else r.reason end
    from unnest(p_old, p_new) p(old_id, new_id)
    where r.id = p.old_id;
    if v_runs is not null then
        perform orchestration._end_places(v_runs, array_fill('SKIPPED'::text, array[cardinality(v_runs)]));
    end if;
    if v_queued is not null then
        update orchestration.task_run t
        set previous_status = t.status, status = 'SKIPPED', reason = p_reason, finished_at = v_now, updated_at = v_now,
            detail = 'graph run ' || (select p_new[array_position(p_old, l.graph_run_id)] from orchestration.graph_run_task_run l
                                      where l.task_run_id = t.id and l.graph_run_id = any (p_old) order by l.graph_run_id limit 1) || ' took over'
        where t.id = any (v_queued);
    end if;
end
$$;
comment on function orchestration._replace(bigint[], bigint[], text) is 'Take-over, second half: ends what the old run had not started.';
