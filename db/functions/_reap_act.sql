create or replace function orchestration._reap_act(p_what text, p_ids bigint[]) returns integer
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set timezone = 'UTC'
set orchestration.engine = 'on'
set orchestration.source = 'reaper'
as $$
-- Purpose: what time brings to these: retry (dispatch attempts that are due), resend (the same dispatch once more), timeout (FAILED), and for
--          graph runs run_timeout (FAILED as a cancel ends them, saying what they waited for). The caller has locked and judged them.
-- Returns: how many.
-- Calls:   _dispatch, _send, _cancel_runs; the trigger of task_run does the rest.
-- Writes:  task_run, dispatch, task_run_event, watched_run.
declare
    v_now timestamptz := orchestration._now();
    v_run record;
begin
    if p_what = 'retry' then
        return orchestration._dispatch(p_ids);
    elsif p_what = 'resend' then
        insert into orchestration.task_run_event (at, task_run_id, graph_run_id, old_status, new_status, source, actor, reason, detail)
        select v_now, t.id, t.graph_run_id, t.status, t.status, 'reaper', nullif(current_setting('orchestration.actor', true), ''), 'resent',
               format('not acknowledged since %s: sent again, %s of 5', to_char(coalesce(t.resent_at, t.delivered_at, t.dispatched_at), 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), t.resend_count + 1)
        from orchestration.task_run t where t.id = any (p_ids);
        update orchestration.task_run t
        set resend_count = t.resend_count + 1, resent_at = v_now, due_at = v_now, updated_at = v_now
        where t.id = any (p_ids);
        perform orchestration._send(p_ids);
        -- the same dispatch: it was created when it was dispatched
        update orchestration.dispatch d
        set value = regexp_replace(d.value, '"created_at":"[^"]*"}$',
                                   '"created_at":"' || (select orchestration._rfc3339(t.dispatched_at) from orchestration.task_run t where t.id = d.task_run_id) || '"}')
        where d.task_run_id = any (p_ids);
    elsif p_what = 'timeout' then
        update orchestration.task_run t
        set previous_status = t.status, status = 'FAILED', reason = 'timeout', awaits_tool = true, finished_at = v_now, updated_at = v_now, matched_by = null,
            detail = format('no end within %s of %s', t.timeout,
                            case when t.status = 'RUNNING' then 'RUNNING at ' || to_char(t.started_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                                 else 'its delivery at ' || to_char(coalesce(t.delivered_at, t.dispatched_at), 'YYYY-MM-DD"T"HH24:MI:SS"Z"') end)
        where t.id = any (p_ids);
    else
        for v_run in
            select r.id, format('open for longer than %s; waited for %s', g.timeout,
                       coalesce((select string_agg(case when w.n <= 10 then w.words when w.n = 11 then '…' end, ', ' order by w.n)
                                 from (select row_number() over (order by x.words) as n, x.words
                                       from (select k.task_name || ' (' || t.status || ')' as words
                                             from orchestration.graph_run_task_run l
                                             cross join lateral (select y.task_id, y.status, y.finished_at from orchestration.task_run y where y.id = l.task_run_id offset 0) t
                                             join orchestration.task_card k on k.task_id = t.task_id
                                             where l.graph_run_id = r.id and t.finished_at is null
                                             union all
                                             select k.task_name || ' (awaited)' from orchestration.awaited_root a join orchestration.task_card k on k.task_id = a.task_id
                                             where a.graph_run_id = r.id) x) w), 'nothing')) as words
            from orchestration.graph_run r cross join lateral (select x.timeout from orchestration.graph x where x.id = r.graph_id offset 0) g
            where r.id = any (p_ids)
            order by array_position(p_ids, r.id)
        loop
            perform orchestration._cancel_runs(array[v_run.id], 'timeout', v_run.words, 'FAILED');
        end loop;
        delete from orchestration.watched_run w where w.graph_run_id = any (p_ids);
    end if;
    return cardinality(p_ids);
end
$$;
comment on function orchestration._reap_act(text, bigint[]) is 'Retries, resends, time-outs: what time brings.';
