create or replace function orchestration.tg_task_run__delete() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a task run leaves by hand only when it has ended and at most one, ended, graph run holds it; its history stays.
-- Raises: OR306.
declare
    v_id bigint;
begin
    if old.finished_at is null then
        perform orchestration._refuse('OR306', format('task run %s is %s', old.id, old.status), 'Only ended task runs can be deleted: cancel it first.');
    end if;
    select l.graph_run_id into v_id from orchestration.graph_run_task_run l join orchestration.graph_run r on r.id = l.graph_run_id and r.status = 'RUNNING'
    where l.task_run_id = old.id limit 1;
    if v_id is not null then
        perform orchestration._refuse('OR306', format('task run %s stands in graph run %s, which is open', old.id, v_id), 'Wait for its end, or cancel the graph run.');
    end if;
    if (select count(*) from orchestration.graph_run_task_run l where l.task_run_id = old.id) > 1 then
        perform orchestration._refuse('OR306', format('several graph runs share task run %s', old.id), 'Delete the other graph runs first, or let purge remove them together.');
    end if;
    perform set_config('orchestration.engine', 'on', true);
    delete from orchestration.graph_run_task_run l where l.task_run_id = old.id;
    delete from orchestration.external_execution x where x.task_run_id = old.id;
    delete from orchestration.dispatch d where d.task_run_id = old.id;
    perform set_config('orchestration.engine', '', true);
    return old;
end
$$;
comment on function orchestration.tg_task_run__delete() is 'a task run leaves by hand only when it has ended and at most one, ended, graph run holds it.';
create or replace trigger _100_delete before delete on orchestration.task_run for each row
    when (coalesce(current_setting('orchestration.engine', true), '') <> 'on' or current_user <> 'orchestration_owner') execute function orchestration.tg_task_run__delete();
