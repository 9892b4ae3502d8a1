create or replace function orchestration.tg_task_run__stamp() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a status changed by a plain UPDATE (the engine stamps its own): set the times, the reason `marked`, and remember that the tool
--          may still be at it.
declare
    v_now timestamptz := orchestration._now();
begin
    perform orchestration._ensure_partitions();
    new.previous_status := old.status;
    new.updated_at := v_now;
    if new.status = 'DISPATCHED' then
        new.dispatched_at := v_now;
        new.config := coalesce(new.config, (select t.config_template from orchestration.task t where t.id = new.task_id));
        if (select k.dispatch_topic from orchestration.task_card k where k.task_id = new.task_id) is null then
            perform orchestration._refuse('OR204', format('nothing can be sent to the task of task run %s: its service has no dispatch topic', new.id), 'Give the service a dispatch_topic.');
        end if;
    elsif new.status = 'RUNNING' then
        new.started_at := coalesce(new.started_at, v_now);
    else
        new.finished_at := coalesce(new.finished_at, v_now);
        new.awaits_tool := old.status in ('DISPATCHED', 'RUNNING');
        if new.reason is not distinct from old.reason then
            new.reason := case when new.status = 'CANCELLED' then 'cancelled' else 'marked' end;
        end if;
        new.matched_by := null;
    end if;
    return new;
end
$$;
comment on function orchestration.tg_task_run__stamp() is 'Stamps a status changed by plain SQL.';
create or replace trigger _200_stamp before update on orchestration.task_run for each row
    when (old.status is distinct from new.status and (coalesce(current_setting('orchestration.engine', true), '') <> 'on' or current_user <> 'orchestration_owner'))
    execute function orchestration.tg_task_run__stamp();
