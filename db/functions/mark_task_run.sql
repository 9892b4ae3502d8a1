create or replace function orchestration.mark_task_run(id bigint, status text, reason text default null) returns bigint
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set orchestration.engine = 'on'
as $$
-- Purpose: set a task run SUCCESS or FAILED by hand (reason `marked`). One that has not ended ends so, for every graph run it stands in, and
--          no retry follows. A FAILED, SKIPPED or CANCELLED one is marked SUCCESS by a take-over.
-- Parameters: the task run; SUCCESS or FAILED; why, in words (kept with who).
-- Returns: the graph run that took over; null where the task run had not ended.
-- Raises:  OR108 status, OR307 it is SUCCESS, or ended and marked FAILED, or its graph run was taken over, OR401 unknown, OR402, OR403, OR404.
-- Locks:   advisory (graph, key), graph runs in id order, the task run.
-- Calls:   _lock_around, _mark_again.
-- Writes:  task_run (its trigger does all that follows).
declare
    v_now timestamptz := orchestration._now();
    v_status text;
    v_name text;
    v_words text;
begin
    perform orchestration._require_read_committed();
    perform orchestration._ensure_partitions();
    if mark_task_run.status is null or mark_task_run.status not in ('SUCCESS', 'FAILED') then
        perform orchestration._refuse('OR108', format('task run %s cannot be marked %s', coalesce(mark_task_run.id::text, 'null'), coalesce(to_json(left(mark_task_run.status, 80))::text, 'null')),
            'Mark it SUCCESS or FAILED; to end it otherwise cancel it.');
    end if;
    perform orchestration._lock_around(mark_task_run.id);
    select t.status, (select k.task_name from orchestration.task_card k where k.task_id = t.task_id) into v_status, v_name
    from orchestration.task_run t where t.id = mark_task_run.id;
    if not found then
        perform orchestration._refuse('OR401', format('task run %s does not exist', coalesce(mark_task_run.id::text, 'null')), 'Look it up in orchestration.task_run.');
    end if;
    v_words := orchestration._by_hand('marked ' || mark_task_run.status, mark_task_run.reason);
    if v_status in ('QUEUED', 'DISPATCHED', 'RUNNING') then
        update orchestration.task_run t
        set previous_status = t.status, status = mark_task_run.status, reason = 'marked', detail = v_words, awaits_tool = t.status in ('DISPATCHED', 'RUNNING'),
            matched_by = null, finished_at = v_now, updated_at = v_now
        where t.id = mark_task_run.id;
        return null;
    end if;
    if mark_task_run.status = 'FAILED' or v_status = 'SUCCESS' then
        perform orchestration._refuse('OR307', format('task run %s of task %s is %s and cannot be marked %s', mark_task_run.id, to_json(v_name), v_status, mark_task_run.status),
            'Ends never change. A FAILED, SKIPPED or CANCELLED task run can be marked SUCCESS; to do a task again rerun its graph run from it.');
    end if;
    return orchestration._mark_again(mark_task_run.id, null, 'marked', v_words, false);
end
$$;
comment on function orchestration.mark_task_run(bigint, text, text) is 'Sets a task run SUCCESS or FAILED by hand; answers the graph run that took over, null where it had not ended.';
