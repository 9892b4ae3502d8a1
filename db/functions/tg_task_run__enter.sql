create or replace function orchestration.tg_task_run__enter() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set orchestration.engine = 'on'
as $$
-- Purpose: what follows from new task runs: the link to their home run, history, the dispatch of those born DISPATCHED; a QUEUED one
--          without a home, that waits for nothing, is dispatched alone; an ended one without a home is work a tool started by itself and is placed (SPEC 4.1.6).
-- Raises:  OR309 where plain SQL inserts an end that every graph rejects.
-- Calls:   _send, _dispatch, _place.
-- Writes:  graph_run_task_run, task_run_event, external_execution.
declare
    v_now timestamptz := orchestration._now();
    v_source text := coalesce(nullif(current_setting('orchestration.source', true), ''), 'sql');
    v_actor text := nullif(current_setting('orchestration.actor', true), '');
    v_extra jsonb := nullif(current_setting('orchestration.extra', true), '')::jsonb;
    v_dispatched bigint[];
    v_alone bigint[];
    v_ended bigint[];
    v_rejected bigint[];
    v_bound boolean;
begin
    insert into orchestration.graph_run_task_run (graph_run_id, task_run_id, task_id, attempt)
    select b.graph_run_id, b.id, b.task_id, b.attempt from born b where b.graph_run_id is not null;
    insert into orchestration.task_run_event (at, task_run_id, graph_run_id, new_status, source, actor, matched_by, reason, detail, extra)
    select v_now, b.id, b.graph_run_id, b.status, v_source, v_actor, b.matched_by, b.reason, b.detail,
           case when v_extra is not null then v_extra -> b.id::text end from born b;
    select array_agg(b.id) filter (where b.status = 'DISPATCHED'),
           array_agg(b.id) filter (where b.graph_run_id is null and b.status = 'QUEUED' and b.due_at is null),
           array_agg(b.id order by b.id) filter (where b.graph_run_id is null and b.status in ('SUCCESS', 'FAILED', 'SKIPPED')),
           bool_or(b.external_id is not null)
    into v_dispatched, v_alone, v_ended, v_bound
    from born b;
    if v_bound then
        insert into orchestration.external_execution (process_id, external_id, task_run_id)
        select k.process_id, b.external_id, b.id
        from born b cross join lateral (select x.process_id from orchestration.task_card x where x.task_id = b.task_id offset 0) k
        where b.external_id is not null
        order by b.id
        on conflict do nothing;
    end if;
    if v_dispatched is not null then
        perform orchestration._send(v_dispatched);
    end if;
    if v_alone is not null then
        perform orchestration._dispatch(v_alone);
    end if;
    if v_ended is not null then
        v_rejected := orchestration._place(v_ended);
        if v_rejected is not null and v_source <> 'event' then
            perform orchestration._refuse('OR309', (select format('task run of task %s is rejected: %s', to_json(k.task_name), e.detail)
                                                    from orchestration.task_run t join orchestration.task_card k on k.task_id = t.task_id
                                                    join orchestration.task_run_event e on e.task_run_id = t.id and e.reason = 'rejected'
                                                    where t.id = v_rejected[1] order by e.id limit 1),
                'Wait for the roots it awaits, cancel that graph run, or give the graph another repeat_policy.');
        end if;
    end if;
    return null;
end
$$;
comment on function orchestration.tg_task_run__enter() is 'Effects of new task runs.';
create or replace trigger _500_enter after insert on orchestration.task_run referencing new table as born
    for each statement execute function orchestration.tg_task_run__enter();
