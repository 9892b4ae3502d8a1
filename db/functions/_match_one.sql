create or replace function orchestration._match_one(
    p_service text, p_process text, p_task_id bigint, p_key text, p_ext text, p_status text,
    out target bigint, out task_id bigint, out match text, out reason text, out words text)
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
-- Purpose: rules 3 to 6 of SPEC 4.1 for one event on the state as it is, word by word. External ids and event ids are dealt with before.
-- Parameters: service name, process uid, the task if it is clear already, run key, external id (unknown so far), status.
-- Returns: the task run (null and no reason: new work of task_id), how it was matched, or the dead letter's reason and words.
-- Calls:   _own_gap.
declare
    v_echoes boolean;
    v_tasks bigint[];
    v_found bigint[];
    v_name text;
begin
    task_id := p_task_id;
    select bool_or(k.echoes_ids) into v_echoes from orchestration.task_card k where k.service_name = p_service and k.process_uid = p_process;
    if task_id is null then
        select array_agg(k.task_id) into v_tasks from orchestration.task_card k where k.service_name = p_service and k.process_uid = p_process and not k.archived;
        select array_agg(t.id) into v_found from unnest(v_tasks) t(id)
        where exists (select from orchestration.task_run q where q.task_id = t.id and q.status in ('QUEUED', 'DISPATCHED', 'RUNNING') and (p_ext is null or q.external_id is null));
        if cardinality(v_found) is distinct from 1 then
            select array_agg(t.id) into v_found from unnest(v_tasks) t(id)
            where exists (select from orchestration.graph_root g where g.task_id = t.id)
               or exists (select from orchestration.awaited_root a where a.task_id = t.id and a.run_key = coalesce(p_key, ''));
        end if;
        if cardinality(v_found) is distinct from 1 then
            reason := 'ambiguous';
            words := format('process %s of service %s has tasks %s; the event names none', p_process, p_service,
                            (select string_agg(k.task_name, ', ' order by k.task_name) from orchestration.task_card k where k.task_id = any (v_tasks)));
            return;
        end if;
        task_id := v_found[1];
    end if;
    select k.task_name into v_name from orchestration.task_card k where k.task_id = _match_one.task_id;
    if not v_echoes then
        select array_agg(q.id order by q.status = 'QUEUED', q.id) into v_found
        from orchestration.task_run q
        where q.task_id = _match_one.task_id and q.status in ('QUEUED', 'DISPATCHED', 'RUNNING') and (p_ext is null or q.external_id is null)
          and q.run_key is not distinct from p_key;
        if v_found is null then
            select array_agg(q.id order by q.id) into v_found
            from orchestration.task_run q
            where q.task_id = _match_one.task_id and q.status in ('QUEUED', 'DISPATCHED', 'RUNNING') and (p_ext is null or q.external_id is null);
            if cardinality(v_found) > 1 then
                reason := 'ambiguous';
                words := format('task %s has %s executions in flight, none with run key %s: task runs %s', v_name, cardinality(v_found), coalesce(p_key, 'null'),
                                array_to_string(v_found[:10], ', '));
                return;
            end if;
        end if;
        if v_found is not null then
            target := v_found[1];
            match := 'in_flight';
            return;
        end if;
    end if;
    select q.id into target
    from orchestration.task_run q
    where q.task_id = _match_one.task_id and q.awaits_tool and q.run_key is not distinct from p_key and (p_ext is null or q.external_id is null)
    order by q.id limit 1;
    if found then
        match := 'ended';
        return;
    end if;
    match := 'started';
    select x.reason, x.words into reason, words from orchestration._own_gap(task_id, p_key, p_ext, p_status) x;
end
$$;
comment on function orchestration._match_one(text, text, bigint, text, text, text) is 'Which execution does one event belong to: rules 3 to 6.';
