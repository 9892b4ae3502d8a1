create or replace function orchestration.tg_graph_run_task_run__delete() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a link leaves by hand only when graph run and task run have ended and nothing else shares the task run; links never change.
-- Raises: OR302, OR306.
begin
    if tg_op = 'UPDATE' then
        perform orchestration._refuse('OR302', format('link of task run %s in graph run %s', old.task_run_id, old.graph_run_id), 'Links never change: insert one into an empty place instead.');
    end if;
    if exists (select from orchestration.graph_run r where r.id = old.graph_run_id and r.status = 'RUNNING') then
        perform orchestration._refuse('OR306', format('graph run %s is open', old.graph_run_id), 'Places of an open run are not emptied: cancel the graph run first.');
    end if;
    if exists (select from orchestration.task_run t where t.id = old.task_run_id and t.finished_at is null) then
        perform orchestration._refuse('OR306', format('task run %s has not ended', old.task_run_id), 'Wait for it, or cancel it.');
    end if;
    if (select count(*) from orchestration.graph_run_task_run l where l.task_run_id = old.task_run_id) > 1 then
        perform orchestration._refuse('OR306', format('several graph runs share task run %s', old.task_run_id), 'Let purge remove them together.');
    end if;
    return old;
end
$$;
comment on function orchestration.tg_graph_run_task_run__delete() is 'a link leaves by hand only when graph run and task run have ended and nothing else shares the task run.';
create or replace trigger _100_delete before delete on orchestration.graph_run_task_run for each row
    when (coalesce(current_setting('orchestration.engine', true), '') <> 'on' or current_user <> 'orchestration_owner') execute function orchestration.tg_graph_run_task_run__delete();
create or replace trigger _100_change before update on orchestration.graph_run_task_run for each row execute function orchestration.tg_graph_run_task_run__delete();
