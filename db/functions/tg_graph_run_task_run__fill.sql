create or replace function orchestration.tg_graph_run_task_run__fill() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a task run put by hand into an open run's still empty place fills it: that place will not be started, and the task run's end
--          counts there. BEFORE checks and completes the row, AFTER brings the effects.
-- Raises: OR303, OR401.
declare
    v_flies boolean;
    v_run record;
    v_task_run record;
begin
    if tg_when = 'BEFORE' then
        select r.id, r.status, r.version_id into v_run from orchestration.graph_run r where r.id = new.graph_run_id for no key update;
        if not found then
            perform orchestration._refuse('OR401', format('graph run %s does not exist', coalesce(new.graph_run_id::text, 'null')), 'Look it up in orchestration.graph_run.');
        end if;
        select t.id, t.task_id into v_task_run from orchestration.task_run t where t.id = new.task_run_id;
        if not found then
            perform orchestration._refuse('OR401', format('task run %s does not exist', coalesce(new.task_run_id::text, 'null')), 'Look it up in orchestration.task_run.');
        end if;
        if v_run.status <> 'RUNNING' then
            perform orchestration._refuse('OR303', format('graph run %s has ended %s', v_run.id, v_run.status), 'Only an open run has empty places.');
        end if;
        if not exists (select from orchestration.graph_version_task v where v.version_id = v_run.version_id and v.task_id = v_task_run.task_id) then
            perform orchestration._refuse('OR303', format('task %s of task run %s is not in graph run %s', v_task_run.task_id, v_task_run.id, v_run.id), 'The graph run goes through the tasks of the version it started with.');
        end if;
        if exists (select from orchestration.graph_run_task_run l where l.graph_run_id = v_run.id and l.task_id = v_task_run.task_id) then
            perform orchestration._refuse('OR303', format('task %s has a task run in graph run %s', v_task_run.task_id, v_run.id), 'Only an empty place can be filled.');
        end if;
        new.task_id := v_task_run.task_id;
        new.attempt := 1;
        return new;
    end if;
    perform set_config('orchestration.engine', 'on', true);
    update orchestration.graph_run r set has_filled = true, updated_at = orchestration._now() where r.id = new.graph_run_id;
    delete from orchestration.awaited_root a where a.graph_run_id = new.graph_run_id and a.task_id = new.task_id;
    update orchestration.task_run t set shared = true, updated_at = orchestration._now() where t.id = new.task_run_id and t.finished_at is null;
    v_flies := found;
    perform set_config('orchestration.engine', '', true);
    if not v_flies then
        perform orchestration._settle(array[new.graph_run_id], array[new.task_id], array[(select t.status from orchestration.task_run t where t.id = new.task_run_id)]);
    end if;
    return null;
end
$$;
comment on function orchestration.tg_graph_run_task_run__fill() is 'Fills an empty place of an open run by hand.';
create or replace trigger _100_fill before insert on orchestration.graph_run_task_run for each row
    when (coalesce(current_setting('orchestration.engine', true), '') <> 'on' or current_user <> 'orchestration_owner') execute function orchestration.tg_graph_run_task_run__fill();
create or replace trigger _500_fill after insert on orchestration.graph_run_task_run for each row
    when (coalesce(current_setting('orchestration.engine', true), '') <> 'on' or current_user <> 'orchestration_owner') execute function orchestration.tg_graph_run_task_run__fill();
