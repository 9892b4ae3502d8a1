create or replace function orchestration.cancel_task_run(id bigint, reason text default null) returns void
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
set orchestration.engine = 'on'
as $$
-- Purpose: end a task run at once, CANCELLED, for every graph run it stands in; what is downstream is SKIPPED there, no retry follows. An
--          unsent dispatch is withdrawn; the tool is not told.
-- Parameters: the task run; why, in words (kept with who).
-- Raises:  OR307 it has ended, OR401 unknown.
-- Locks:   graph runs in id order, then the task run.
-- Writes:  task_run (its trigger does all that follows).
declare
    v_now timestamptz := orchestration._now();
    v_status text;
    v_name text;
begin
    perform orchestration._require_read_committed();
    perform orchestration._ensure_partitions();
    perform from orchestration.graph_run r
    where r.id = any (array(select l.graph_run_id from orchestration.graph_run_task_run l where l.task_run_id = cancel_task_run.id)) and r.status = 'RUNNING'
    order by r.id for no key update;
    select t.status, (select k.task_name from orchestration.task_card k where k.task_id = t.task_id) into v_status, v_name
    from orchestration.task_run t where t.id = cancel_task_run.id for no key update;
    if not found then
        perform orchestration._refuse('OR401', format('task run %s does not exist', coalesce(cancel_task_run.id::text, 'null')), 'Look it up in orchestration.task_run.');
    end if;
    if v_status not in ('QUEUED', 'DISPATCHED', 'RUNNING') then
        perform orchestration._refuse('OR307', format('task run %s of task %s has ended %s', cancel_task_run.id, to_json(v_name), v_status), 'Only a task run that has not ended can be cancelled.');
    end if;
    update orchestration.task_run t
    set previous_status = t.status, status = 'CANCELLED', reason = 'cancelled', detail = orchestration._by_hand('cancelled', cancel_task_run.reason),
        awaits_tool = t.status in ('DISPATCHED', 'RUNNING'), matched_by = null, finished_at = v_now, updated_at = v_now
    where t.id = cancel_task_run.id;
end
$$;
comment on function orchestration.cancel_task_run(bigint, text) is 'Ends a task run at once, CANCELLED.';
