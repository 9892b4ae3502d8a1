create or replace function orchestration.tg_task_run__guard() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: fires only for a change that is not legal (the triggers' WHEN says which), and says why. Raises: OR301, OR302, OR108.
begin
    if new.id is distinct from old.id or new.task_id is distinct from old.task_id or new.attempt is distinct from old.attempt or new.retry_of_id is distinct from old.retry_of_id
       or new.graph_run_id is distinct from old.graph_run_id or new.run_key is distinct from old.run_key then
        perform orchestration._refuse('OR302', format('id, task, attempt, run key and home of task run %s never change', old.id), 'Start a new task run instead.');
    end if;
    if new.status is null or new.status not in ('QUEUED', 'DISPATCHED', 'RUNNING', 'SUCCESS', 'FAILED', 'SKIPPED', 'CANCELLED') then
        perform orchestration._refuse('OR108', format('status %s of task run %s is not known', coalesce(to_json(new.status)::text, 'null'), old.id),
            'Use QUEUED, DISPATCHED, RUNNING, SUCCESS, FAILED, SKIPPED or CANCELLED.');
    end if;
    perform orchestration._refuse('OR301', format('task run %s is %s and cannot become %s', old.id, old.status, new.status),
        case when old.finished_at is not null then 'Ends never change; start a new graph run from this task instead.'
             else 'Legal: QUEUED to any, DISPATCHED to RUNNING or an end, RUNNING to an end.' end);
    return null;
end
$$;
comment on function orchestration.tg_task_run__guard() is 'Refuses illegal changes of a task run.';
create or replace trigger _100_guard before update on orchestration.task_run for each row
    when (old.id <> new.id or old.task_id <> new.task_id or old.attempt <> new.attempt
          or old.graph_run_id is distinct from new.graph_run_id or old.retry_of_id is distinct from new.retry_of_id
          or (old.run_key is distinct from new.run_key and (coalesce(current_setting('orchestration.engine', true), '') <> 'on' or current_user <> 'orchestration_owner'))
          or (old.status is distinct from new.status and (
              old.status in ('SUCCESS', 'FAILED', 'SKIPPED', 'CANCELLED')
              or new.status is null or new.status not in ('DISPATCHED', 'RUNNING', 'SUCCESS', 'FAILED', 'SKIPPED', 'CANCELLED')
              or (new.status = 'DISPATCHED' and old.status = 'RUNNING'))))
    execute function orchestration.tg_task_run__guard();
