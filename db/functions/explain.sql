create or replace function orchestration.explain(graph_run_id bigint) returns table (task text, status text, reason text, detail text)
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_nestloop = off
set enable_hashjoin = on
set enable_mergejoin = off
set work_mem = '64MB'
as $$
-- Purpose: why each task of a graph run is where it is, in words. One row a task of the run's version, predecessors first.
-- Returns: task; status of its last attempt, null where it has no task run yet; reason, the task run's, or for what has not ended one word of
--          docs/codes.md (waiting, awaited, held, retry, unsent, unacknowledged, accepted, running); detail in words.
-- Raises:  OR401.
-- Calls:   _horizon_note, _span, _instant.
declare
    v_run record;
    v_now timestamptz := orchestration._now();
    v_pause text;                    -- the graph is paused
    v_stop text;                     -- the service is stopped
    v_still text;                    -- the horizon stands still
    v_bridges boolean;
    v_taker text;                    -- what the run that took it over says of itself
    v_tasks bigint[];
    v_ids bigint[];                  -- the task runs that stand for them
    v_flying bigint[]; v_ended bigint[]; v_by_hand bigint[]; v_before bigint[];
begin
    select r.id, r.version_id, r.status, r.reason, r.detail, r.replaced_by_id, r.run_key, r.created_at, v.base_id, g.id as graph_id, g.name as graph into v_run
    from orchestration.graph_run r
    cross join lateral (select x.base_id from orchestration.graph_version x where x.id = r.version_id offset 0) v
    left join lateral (select x.id, x.name from orchestration.graph x where x.id = r.graph_id offset 0) g on true
    where r.id = explain.graph_run_id;
    if not found then
        perform orchestration._refuse('OR401', format('graph run %s does not exist', coalesce(explain.graph_run_id::text, 'null')), 'Look it up in orchestration.graph_run.');
    end if;
    select format('graph %s is paused since %s by %s', v_run.graph, orchestration._instant(p.paused_at), coalesce(p.paused_actor, p.paused_by)) into v_pause
    from orchestration.graph_pause p where p.graph_id = v_run.graph_id and p.resumed_at is null;
    select format('the service is stopped since %s%s', orchestration._instant(s.changed_at), ' by ' || s.actor) into v_stop
    from orchestration.service_state s where s.desired = 'stopped';
    select r.detail into v_taker from orchestration.graph_run r where r.id = v_run.replaced_by_id;
    v_still := orchestration._horizon_note();
    v_bridges := exists (select from orchestration.bridge_instance b where b.retired_at is null
                         and b.heartbeat_at >= v_now - (select s.value::interval from orchestration.setting s where s.name = 'bridge_silence'));
    select array_agg(x.task_id) into v_tasks from orchestration.graph_version_task x where x.version_id = v_run.version_id;
    select array_agg(x.task_run_id) into v_ids
    from (select distinct on (l.task_id) l.task_run_id from orchestration.graph_run_task_run l where l.graph_run_id = v_run.id order by l.task_id, l.attempt desc) x;
    select array_agg(x.id) filter (where x.status = 'DISPATCHED'), array_agg(x.id) filter (where x.finished_at is not null and (x.status <> 'SKIPPED' or x.matched_by is not null)),
           array_agg(x.id) filter (where x.reason in ('marked', 'cancelled') and x.status <> 'SKIPPED' and strpos(coalesce(x.detail, ''), ' by ') = 0),
           array_agg(x.retry_of_id) filter (where x.status = 'QUEUED' and x.retry_of_id is not null)
    into v_flying, v_ended, v_by_hand, v_before
    from orchestration.task_run x where x.id = any (v_ids);
    return query
    with place as materialized (
        select v.task_id, v.position, v.predecessor_ids, k.task_name, k.service_name, k.process_uid, c.max_attempts, a.task_id is not null as awaited,
               t.id as task_run_id, t.status, t.reason, t.detail, t.attempt, t.retry_of_id, t.resend_count, t.due_at, t.timeout, t.external_id, t.matched_by,
               t.dispatched_at, t.delivered_at, t.accepted_at, t.started_at, t.finished_at
        from orchestration.graph_version_task v
        join (select x.task_id, x.task_name, x.service_name, x.process_uid from orchestration.task_card x where x.task_id = any (v_tasks) offset 0) k on k.task_id = v.task_id
        join (select x.id, x.max_attempts from orchestration.task x where x.id = any (v_tasks) offset 0) c on c.id = v.task_id
        left join (select x.* from orchestration.task_run x where x.id = any (v_ids) offset 0) t on t.task_id = v.task_id
        left join (select x.task_id from orchestration.awaited_root x where x.task_id = any (v_tasks) and x.graph_run_id = v_run.id offset 0) a on a.task_id = v.task_id
        where v.version_id = v_run.version_id
    ), lacking as materialized (
        -- what keeps a task from starting: predecessors that have not succeeded
        select p.task_id, q.task_id as predecessor_id, q.task_name, q.status, q.awaited,
               row_number() over (partition by p.task_id order by q.task_name) as nth, count(*) over (partition by p.task_id) as n
        from place p cross join unnest(p.predecessor_ids) u(id) join place q on q.task_id = u.id
        where p.status is null and q.status is distinct from 'SUCCESS'
    ), before as materialized (
        -- the last success of those that are named
        select d.task_id, coalesce(' (last succeeded ' || orchestration._instant(s.finished_at) || coalesce(' in run ' || coalesce(s.graph_run_id, s.other_id), ' in no run') || ')', ' (never succeeded)') as words
        from (select l.predecessor_id as task_id from lacking l where l.nth <= 3 union select p.task_id from place p where p.awaited) d
        left join lateral (
            select y.finished_at, y.graph_run_id,
                   (select max(o.graph_run_id) from orchestration.graph_run_task_run o where o.task_run_id = y.id) as other_id
            from (select x.id, x.status, x.finished_at, x.graph_run_id from orchestration.task_run x where x.task_id = d.task_id order by x.id desc limit 20) y
            where y.status = 'SUCCESS' order by y.id desc limit 1) s on true
    ), wait as (
        select l.task_id, 'waiting for ' || string_agg(l.task_name || ' of this run' || b.words
                              || case when l.status is not null then ', now ' || l.status when l.awaited then ', now awaited' else '' end, '; ' order by l.nth)
                          || case when max(l.n) > 3 then format('; and %s more', max(l.n) - 3) else '' end as words
        from lacking l join before b on b.task_id = l.predecessor_id
        where l.nth <= 3
        group by l.task_id
    ), late as (
        -- events that came after the end
        select e.task_run_id, count(*) as n, max(e.at) as at, (array_agg(e.detail order by e.id desc))[1] as last, bool_or(left(e.detail, 7) = 'SUCCESS') as success
        from orchestration.task_run_event e
        where e.task_run_id = any (v_ended) and e.reason = 'late' and e.old_status = e.new_status and e.at >= v_run.created_at - interval '1 day' and e.at < v_now + interval '1 day'
        group by e.task_run_id
    ), doer as (
        -- who ended it by hand, where its words do not say so
        select distinct on (e.task_run_id) e.task_run_id, coalesce(e.actor, e.db_user) as name
        from orchestration.task_run_event e
        where e.task_run_id = any (v_by_hand) and e.reason in ('marked', 'cancelled') and e.at >= v_run.created_at - interval '1 day' and e.at < v_now + interval '1 day'
        order by e.task_run_id, e.id desc
    ), shared as (
        select x.task_run_id, string_agg(x.graph_run_id::text, ', ' order by x.graph_run_id) as runs
        from (select y.task_run_id, y.graph_run_id, row_number() over (partition by y.task_run_id order by y.graph_run_id) as nth
              from orchestration.graph_run_task_run y where y.task_run_id = any (v_ids) and y.graph_run_id <> v_run.id) x
        where x.nth <= 5
        group by x.task_run_id
    ), cause as (
        -- why the task that a skipped one names did not succeed
        select p.task_id, q.task_name, lower(q.status) as ended, q.reason, q.detail
        from place p
        join place q on q.task_name = left(substr(p.detail, 6), -case right(p.detail, 5) when 'AILED' then 13 when 'IPPED' then 14 else 16 end)
        where p.status = 'SKIPPED' and p.reason = 'upstream'
    ), outside as (
        select b.task_id, string_agg(k.task_name || ' by task run ' || s.task_run_id || coalesce(' of run ' || coalesce(t.graph_run_id, t.other_id), '') || ' (' || coalesce(orchestration._instant(t.finished_at), 'gone') || ')',
                                     ', ' order by k.task_name) as words
        from (select x.task_id, u.id as predecessor_id from orchestration.graph_version_task x cross join unnest(x.predecessor_ids) u(id)
              where x.version_id = v_run.base_id and x.task_id = any (v_tasks)) b
        cross join lateral (select x.task_run_id from orchestration.stand_in x where x.graph_run_id = v_run.id and x.task_id = b.predecessor_id offset 0) s
        cross join lateral (select x.task_name from orchestration.task_card x where x.task_id = b.predecessor_id offset 0) k
        left join lateral (select x.finished_at, x.graph_run_id, (select max(o.graph_run_id) from orchestration.graph_run_task_run o where o.task_run_id = x.id) as other_id
                           from orchestration.task_run x where x.id = s.task_run_id offset 0) t on true
        group by b.task_id
    ), told as (
        select p.*, d.bridge_id, d.task_run_id is not null as in_outbox, w.words as wait_words, b.words as before_words, o.words as outside_words, h.runs as other_runs,
               e.n as late_n, e.at as late_at, e.last as late_last, e.success as late_success, y.name as doer, f.status as failed_status, f.reason as failed_reason, f.detail as failed_detail,
               c.task_name as cause_name, c.ended as cause_ended, c.reason as cause_reason, c.detail as cause_detail,
               to_char(p.finished_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"') as ended,
               coalesce(p.started_at, p.delivered_at, p.dispatched_at) + p.timeout as deadline
        from place p
        left join wait w on w.task_id = p.task_id
        left join before b on b.task_id = p.task_id
        left join outside o on o.task_id = p.task_id
        left join late e on e.task_run_id = p.task_run_id
        left join doer y on y.task_run_id = p.task_run_id
        left join cause c on c.task_id = p.task_id
        left join (select x.task_run_id, x.bridge_id from orchestration.dispatch x where x.task_run_id = any (v_flying) offset 0) d on d.task_run_id = p.task_run_id
        left join (select x.id, x.status, x.reason, x.detail from orchestration.task_run x where x.id = any (v_before) offset 0) f on f.id = p.retry_of_id
        left join shared h on h.task_run_id = p.task_run_id
    )
    select t.task_name, t.status,
           coalesce(t.reason, case
               when t.status is null and v_run.status <> 'RUNNING' then null
               when t.status is null and t.awaited then 'awaited'
               when t.status is null then 'waiting'
               when t.status = 'QUEUED' and (t.due_at = 'infinity' or v_pause is not null) then 'held'
               when t.status = 'QUEUED' and t.attempt > 1 then 'retry'
               when t.status = 'QUEUED' then 'waiting'
               when t.status = 'DISPATCHED' and t.accepted_at is not null then 'accepted'
               when t.status = 'DISPATCHED' and t.in_outbox then 'unsent'
               when t.status = 'DISPATCHED' then 'unacknowledged'
               when t.status = 'RUNNING' then 'running' end),
           concat_ws('; ',
               -- what it is
               case
               when t.status is null and v_run.status <> 'RUNNING' then 'it was never started: the run ended ' || v_run.status
               when t.status is null and t.awaited then
                   format('waiting for an event of process %s of service %s%s', t.process_uid, t.service_name, ' with run key ' || v_run.run_key) || coalesce(t.before_words, '')
               when t.status is null then coalesce(t.wait_words, 'all before it succeeded')
               when t.status = 'QUEUED' and (t.due_at = 'infinity' or v_pause is not null) then 'held: ' || coalesce(v_pause, 'its graph was paused') || format(', attempt %s of %s', t.attempt, greatest(t.max_attempts, t.attempt))
               when t.status = 'QUEUED' and t.attempt > 1 then
                   format('retry %s of %s %s', t.attempt, greatest(t.max_attempts, t.attempt),
                          case when t.due_at > v_now then 'in ' || orchestration._span(t.due_at - v_now) else 'due since ' || orchestration._span(v_now - t.due_at) end)
                   || format(', after task run %s was %s', t.retry_of_id, coalesce(t.failed_status, 'gone')) || coalesce(' (' || t.failed_reason || ')', '') || coalesce(': ' || t.failed_detail, '')
               when t.status = 'QUEUED' then 'waits to be dispatched'
               when t.status = 'DISPATCHED' and t.accepted_at is not null then
                   format('dispatched %s ago and accepted %s ago', orchestration._span(v_now - t.dispatched_at), orchestration._span(v_now - t.accepted_at)) || coalesce(': ' || t.detail, '')
               when t.status = 'DISPATCHED' and t.in_outbox then
                   format('dispatched %s ago and not yet sent: %s', orchestration._span(v_now - t.dispatched_at),
                          case when t.bridge_id is not null then format('bridge %s is sending it', t.bridge_id) when v_stop is not null then v_stop
                               when not v_bridges then 'no bridge is running' else 'a bridge takes it next' end)
               when t.status = 'DISPATCHED' then
                   format('dispatched %s ago and not yet acknowledged', orchestration._span(v_now - t.dispatched_at))
                   || case when t.resend_count > 0 then format(', sent again %s times', t.resend_count) else '' end
               when t.status = 'RUNNING' then format('running since %s, %s', orchestration._instant(t.started_at), orchestration._span(v_now - t.started_at)) || coalesce(': ' || t.detail, '')
               when t.status = 'SUCCESS' then
                   'succeeded ' || t.ended
                   || coalesce(' in ' || orchestration._span(t.finished_at - coalesce(t.started_at, t.dispatched_at)), '')
                   || coalesce(case t.matched_by when 'task_run_id' then ', reported by its id' when 'external_id' then ', reported as ' || t.external_id
                                                 when 'in_flight' then ', reported without id and taken for the oldest in flight of its task and key'
                                                 when 'started' then ', work that service ' || t.service_name || ' started by itself' end, '')
                   || case t.reason when 'late' then ', by a late event of the attempt before' else '' end || coalesce(': ' || t.detail, '') || coalesce(', by ' || t.doer, '')
               when t.status = 'FAILED' then
                   case coalesce(t.reason, '') when 'timeout' then 'timed out ' when 'marked' then 'marked FAILED ' when 'config' then 'could not be dispatched ' else 'failed ' end
                   || t.ended
                   || case when t.reason = 'timeout' and t.timeout is not null then ' after ' || orchestration._span(t.timeout) else '' end
                   || coalesce(': ' || t.detail, '') || coalesce(', by ' || t.doer, '')
                   || case when t.attempt > 1 or t.max_attempts > 1 then format(', attempt %s of %s', t.attempt, greatest(t.max_attempts, t.attempt)) else '' end
               when t.status = 'SKIPPED' then
                   case t.reason when 'upstream' then
                            'skipped because ' || coalesce(t.cause_name || ' ' || case t.cause_ended when 'failed' then 'failed' else 'was ' || t.cause_ended end
                                                           || coalesce(' (' || t.cause_reason || ')', '') || coalesce(': ' || t.cause_detail, ''), t.detail, 'one before it did not succeed')
                        when 'coalesced' then 'coalesced into run ' || coalesce(v_run.replaced_by_id::text, t.detail)
                        when 'superseded' then 'superseded by run ' || coalesce(v_run.replaced_by_id || coalesce(', ' || v_taker, ''), t.detail)
                        when 'cancelled' then 'not started: ' || coalesce(t.detail, 'its run was cancelled')
                        else 'skipped ' || t.ended || coalesce(': ' || t.detail, '') end
               when t.status = 'CANCELLED' then 'cancelled ' || t.ended || coalesce(': ' || t.detail, '') || coalesce(', by ' || t.doer, '') end,
               -- what holds it
               case when t.status is null and v_run.status = 'RUNNING' then v_pause end,
               case when v_stop is not null and v_run.status = 'RUNNING' and t.finished_at is null and not (coalesce(t.status, '') = 'DISPATCHED' and t.in_outbox and t.bridge_id is null)
                    then v_stop || ': nothing is taken in or sent' end,
               case when t.finished_at is null and t.deadline is not null then
                   case when t.deadline > v_now then 'times out in ' || orchestration._span(t.deadline - v_now) else 'past its time-out since ' || orchestration._span(v_now - t.deadline) end
                   || case when v_pause is not null then ', but its clock stands still' when t.deadline <= v_now and v_still is null then ', the reaper is about to fail it' else '' end end,
               case when t.finished_at is null and t.due_at is not null and t.due_at <= v_now and v_stop is null then 'nothing is failed or sent again for time: the horizon stands still, ' || v_still end,
               -- where else it stands
               case when t.status in ('DISPATCHED', 'RUNNING') and t.external_id is not null then 'its tool calls it ' || t.external_id end,
               'outside of this run count ' || t.outside_words,
               case when t.task_run_id is not null then 'shared with run ' || t.other_runs end,
               case when v_run.replaced_by_id is not null and (t.status is null or t.status not in ('SUCCESS', 'SKIPPED')) then 'run ' || v_run.replaced_by_id || ' took this run over' end,
               case when t.late_n > 0 then
                   format('%s late event%s, the last %s: %s, recorded only', t.late_n, case when t.late_n > 1 then 's' else '' end, orchestration._instant(t.late_at), t.late_last)
                   || case when t.late_success and t.status in ('FAILED', 'SKIPPED', 'CANCELLED') and v_run.replaced_by_id is null
                                then format('; to use it: select orchestration.mark_task_run(%s, ''SUCCESS'', ''why'')', t.task_run_id)
                           when not t.late_success and t.status = 'SUCCESS'
                                then format('; to do it again: select orchestration.rerun(%s, array[%L])', v_run.id, t.task_name)
                           else '' end end)
    from told t
    order by t.position, t.task_id;
end
$$;
comment on function orchestration.explain(bigint) is 'Why each task of a graph run is where it is, in words.';
