create or replace function orchestration._apply_late(p_id bigint, p_match text, p_detail text, p_result jsonb) returns boolean
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set orchestration.engine = 'on'
as $$
-- Purpose: a SUCCESS for an execution that has FAILED by report or time-out (SPEC 4.6). Where a later attempt is still QUEUED it ends that
--          one, reason late. Where there is none and the failure was reported it is a correction: the graph runs it stands in are taken over
--          as by a mark, unless the service says otherwise. Else it is late, as any other.
-- Parameters: the task run the event belongs to, how it was matched, its words and result.
-- Returns: whether it did something, with the history of it written; false: the caller records it as late.
-- Locks:   graph_run rows in id order, then task_run rows.
-- Calls:   _mark_again.
-- Writes:  task_run, task_run_event.
declare
    v_now timestamptz := orchestration._now();
    v_extra jsonb := nullif(current_setting('orchestration.extra', true), '')::jsonb;
    v_t record;
    v_next record;
    v_run bigint;
    v_reason text;
    v_words text;
begin
    perform from orchestration.graph_run r
    where r.id = any (array(select l.graph_run_id from orchestration.graph_run_task_run l where l.task_run_id = p_id)) and r.status = 'RUNNING'
    order by r.id for no key update;
    select t.id, t.task_id, t.graph_run_id, t.run_key, t.attempt, t.status, t.reason, k.service_id into v_t
    from orchestration.task_run t cross join lateral (select x.service_id from orchestration.task_card x where x.task_id = t.task_id offset 0) k
    where t.id = p_id;
    if v_t.status <> 'FAILED' or v_t.reason <> 'timeout' then
        return false;
    end if;
    -- the last attempt after it: in the graph runs it stands in; of a task run alone only one that still waits matters
    select t.id, t.attempt, t.status into v_next
    from orchestration.graph_run_task_run l
    cross join lateral (select x.task_run_id from orchestration.graph_run_task_run x
                        where x.graph_run_id = l.graph_run_id and x.task_id = l.task_id and x.attempt > l.attempt order by x.attempt desc limit 1) n
    cross join lateral (select x.id, x.attempt, x.status from orchestration.task_run x where x.id = n.task_run_id offset 0) t
    where l.task_run_id = p_id
    order by t.attempt desc, t.id
    limit 1;
    if not found and v_t.graph_run_id is null then
        with recursive back(id, attempt, retry_of_id) as (
            select q.id, q.attempt, q.retry_of_id
            from orchestration.task_run q
            where q.task_id = v_t.task_id and q.run_key is not distinct from v_t.run_key and q.status = 'QUEUED' and q.graph_run_id is null and q.attempt > v_t.attempt
            union all
            select b.id, b.attempt, x.retry_of_id
            from back b cross join lateral (select y.retry_of_id, y.attempt from orchestration.task_run y where y.id = b.retry_of_id offset 0) x
            where b.retry_of_id <> p_id and x.attempt > v_t.attempt
        )
        select b.id, b.attempt, 'QUEUED' as status into v_next from back b where b.retry_of_id = p_id limit 1;
    end if;
    if v_next.id is not null then
        update orchestration.task_run t
        set previous_status = t.status, status = 'SUCCESS', reason = 'late', detail = format('attempt %s, task run %s, succeeded late', v_t.attempt, p_id) || coalesce(': ' || p_detail, ''),
            result = p_result, matched_by = p_match, finished_at = v_now, updated_at = v_now
        where t.id = v_next.id and t.status is not distinct from 'QUEUED';
        if not found then
            return false;
        end if;
        v_reason := 'late';
        v_words := format('ended attempt %s, task run %s', v_next.attempt, v_next.id);
    elsif v_t.reason is null and (select s.corrections from orchestration.service s where s.id = v_t.service_id) then
        v_run := orchestration._mark_again(p_id, p_result, 'marked', format('SUCCESS was reported after FAILED of task run %s', p_id) || coalesce(': ' || p_detail, ''), true);
        if v_run is null then
            return false;
        end if;
        v_reason := 'correction';
        v_words := format('graph run %s took over', v_run);
    else
        return false;
    end if;
    insert into orchestration.task_run_event (at, task_run_id, graph_run_id, old_status, new_status, source, actor, matched_by, reason, detail, extra)
    values (v_now, p_id, v_t.graph_run_id, v_t.status, v_t.status, 'event', nullif(current_setting('orchestration.actor', true), ''), p_match, v_reason,
            'SUCCESS, ' || v_words || coalesce(': ' || p_detail, ''), v_extra -> p_id::text);
    return true;
end
$$;
comment on function orchestration._apply_late(bigint, text, text, jsonb) is 'A SUCCESS after the failure of its execution: ends the attempt that waits, or corrects.';
