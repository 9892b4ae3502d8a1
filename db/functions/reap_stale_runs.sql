create or replace function orchestration.reap_stale_runs(
    out outcome text, out horizon timestamptz, out retries integer, out resends integer, out timeouts integer, out graph_timeouts integer, out problem text)
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set orchestration.engine = 'on'
set orchestration.source = 'reaper'
as $$
-- Purpose: what time brings (SPEC 4.6), in the order of its instants: attempts that are due are dispatched; a dispatch that nothing
--          acknowledged is sent again; a task run past its time-out and a graph run past its own are FAILED, but only up to the horizon: no
--          event that is not read yet could have saved them. Scheduled by pg_cron and called by every bridge; one at a time. A call does a
--          bounded piece: small where bridges call again at once, until all is done where it is called rarely.
-- Returns: outcome: done; more (call again); busy (another is at it); stopped (the service is: nothing is sent, nothing failed). The
--          horizon. How much of what was done. The last error of something that could not be dealt with; it is tried again a minute later.
-- Locks:   one advisory lock; task_run, graph_run and watched_run rows, never waiting.
-- Calls:   _reap_walk, _reap_look, _reap_look_runs, _reap_lock, _reap_each.
-- Writes:  reaper_state, watched_run, task_run and all that follows.
declare
    v_begun timestamptz := clock_timestamp();
    v_now timestamptz := orchestration._now();
    v_budget interval;
    v_limit constant integer := 100;
    v_until timestamptz;
    v_runs record;
    v_tasks record;
    v_due bigint[];
    v_paused bigint[];
    v_acted record;
    v_moved boolean;
    v_next timestamptz;
begin
    retries := 0; resends := 0; timeouts := 0; graph_timeouts := 0;
    perform orchestration._require_read_committed();
    if not pg_try_advisory_xact_lock(hashtextextended('orchestration.reaper', 0)) then
        outcome := 'busy';
        return;
    end if;
    horizon := orchestration._horizon();
    outcome := 'done';
    if (select s.desired from orchestration.service_state s) <> 'started' then
        outcome := 'stopped';
    else
        perform orchestration._ensure_partitions();
        v_budget := case when not exists (select from orchestration.bridge_instance b where b.retired_at is null and b.heartbeat_at > v_now - interval '10 seconds') then interval '10 seconds'
                         when exists (select from orchestration.reaper_state s where s.ran_at > v_now - interval '10 seconds') then interval '0.1 seconds'
                         else interval '1 second' end;
        while horizon is not null and orchestration._reap_walk(horizon, 5000) loop
            exit when clock_timestamp() - v_begun > v_budget / 2;
        end loop;
        loop
            v_moved := false;
            v_now := orchestration._now();  -- what came due meanwhile counts
            select r.* into v_runs from orchestration._reap_look_runs(horizon, v_limit) r;
            v_until := coalesce(v_runs.deadlines[1], 'infinity');

            -- attempts whose delay is over, in graphs that are not paused: those wait for the resume
            v_paused := array(select g.graph_id from orchestration.graph_pause g where g.resumed_at is null);
            v_due := orchestration._reap_lock(array(
                select t.id from orchestration.task_run t
                where t.status = 'QUEUED' and t.due_at <= least(v_now, v_until)
                  and (cardinality(v_paused) = 0 or (select r.graph_id from orchestration.graph_run r where r.id = t.graph_run_id) = any (v_paused) is not true)
                order by t.due_at limit v_limit for no key update skip locked));
            if cardinality(v_due) > 0 then
                v_acted := orchestration._reap_each('retry', v_due);
                retries := retries + v_acted.done;
                problem := coalesce(v_acted.problem, problem);
                v_moved := true;
            end if;

            if horizon is not null then
                select l.* into v_tasks from orchestration._reap_look(horizon, least(horizon, v_until), v_limit) l;
                v_acted := orchestration._reap_each('resend', v_tasks.resend_ids);
                resends := resends + v_acted.done;
                problem := coalesce(v_acted.problem, problem);
                v_acted := orchestration._reap_each('timeout', v_tasks.overdue_ids);
                timeouts := timeouts + v_acted.done;
                problem := coalesce(v_acted.problem, problem);
                v_moved := v_moved or v_tasks.looked > 0 or v_runs.looked > 0;
            end if;

            if not v_moved and v_runs.run_ids is not null then
                -- nothing is due before the first of these graph runs any more: it, and all before the next instant of a task run
                v_next := least((select min(t.due_at) from orchestration.task_run t where t.status in ('DISPATCHED', 'RUNNING') and t.due_at > v_until),
                                (select min(t.due_at) from orchestration.task_run t where t.status = 'QUEUED' and t.due_at > v_until), 'infinity');
                v_acted := orchestration._reap_each('run_timeout', array(
                    select x.id from unnest(v_runs.run_ids, v_runs.deadlines) with ordinality x(id, at, i) where x.i = 1 or x.at < v_next order by x.i));
                graph_timeouts := graph_timeouts + v_acted.done;
                problem := coalesce(v_acted.problem, problem);
                v_moved := true;
            end if;
            exit when not v_moved;
            if clock_timestamp() - v_begun > v_budget then
                outcome := 'more';
                exit;
            end if;
        end loop;
    end if;
    update orchestration.reaper_state s
    set ran_at = v_now, ran_by = concat_ws(' as ', nullif(current_setting('application_name'), ''), session_user), outcome = reap_stale_runs.outcome,
        did_at = case when retries + resends + timeouts + graph_timeouts > 0 or problem is not null then v_now else s.did_at end,
        did = case when retries + resends + timeouts + graph_timeouts > 0 or problem is not null
                   then jsonb_strip_nulls(jsonb_build_object('retries', retries, 'resends', resends, 'timeouts', timeouts, 'graph_timeouts', graph_timeouts, 'problem', problem))
                   else s.did end;
end
$$;
comment on function orchestration.reap_stale_runs() is 'Retries and resends that are due, time-outs up to the horizon; answers what it did.';
