create or replace function orchestration._record_idle(p_ids bigint[], p_statuses text[], p_matches text[], p_details text[], p_exts text[], p_hit bigint[]) returns void
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set orchestration.engine = 'on'
as $$
-- Purpose: history of events that made no transition: an ACCEPTED, a repeat of what is known, a late one. A late end also says that the tool
--          is done with what we had ended. An external id is bound all the same.
-- Parameters: the events of one round, and the task runs that _apply_known touched.
-- Writes:  task_run_event, task_run.awaits_tool, task_run.external_id.
declare
    v_now timestamptz := orchestration._now();
    v_extra jsonb := nullif(current_setting('orchestration.extra', true), '')::jsonb;
begin
    insert into orchestration.task_run_event (at, task_run_id, graph_run_id, old_status, new_status, source, actor, matched_by, reason, detail, extra)
    select v_now, e.id, t.graph_run_id, t.status, t.status, 'event', nullif(current_setting('orchestration.actor', true), ''), e.match,
           case when t.finished_at is not null then 'late' when e.status = 'ACCEPTED' then 'accepted' else 'duplicate' end,
           case when e.status = 'ACCEPTED' and t.finished_at is null then e.detail else e.status || coalesce(': ' || e.detail, '') end,
           case when v_extra is not null then v_extra -> e.id::text end
    from unnest(p_ids, p_statuses, p_matches, p_details) e(id, status, match, detail)
    cross join lateral (select x.graph_run_id, x.status, x.finished_at from orchestration.task_run x where x.id = e.id offset 0) t
    where e.status = 'ACCEPTED' or not e.id = any (coalesce(p_hit, '{}'));
    update orchestration.task_run t set external_id = e.ext, updated_at = v_now
    from unnest(p_ids, p_exts) e(id, ext)
    where t.id = e.id and t.id = any (p_ids) and e.ext is not null and t.external_id is null
      and not exists (select from orchestration.external_execution x
                      where x.external_id = e.ext and x.task_run_id <> t.id
                        and x.process_id = (select k.process_id from orchestration.task_card k where k.task_id = t.task_id) offset 0);
    update orchestration.task_run t set awaits_tool = false, updated_at = v_now
    where t.awaits_tool and t.id = any (array(select e.id from unnest(p_ids, p_statuses) e(id, status) where e.status in ('SUCCESS', 'FAILED', 'SKIPPED')));
end
$$;
comment on function orchestration._record_idle(bigint[], text[], text[], text[], text[], bigint[]) is 'History of events that made no transition.';
