create or replace function orchestration.tg_graph_run__delete() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a graph run leaves by hand only when it has ended and shares no task run; its task runs and history stay.
-- Raises: OR306.
declare
    v_id bigint;
begin
    if old.status = 'RUNNING' then
        perform orchestration._refuse('OR306', format('graph run %s is open', old.id), 'Cancel it first: update orchestration.graph_run set status = ''CANCELLED''.');
    end if;
    select l.task_run_id into v_id from orchestration.graph_run_task_run l
    where l.graph_run_id = old.id and exists (select from orchestration.graph_run_task_run o where o.task_run_id = l.task_run_id and o.graph_run_id <> old.id) limit 1;
    if v_id is not null then
        perform orchestration._refuse('OR306', format('graph run %s shares task run %s with another', old.id, v_id), 'Delete the other graph run first, or let purge remove them together.');
    end if;
    select l.task_run_id into v_id from orchestration.graph_run_task_run l join orchestration.task_run t on t.id = l.task_run_id and t.finished_at is null
    where l.graph_run_id = old.id limit 1;
    if v_id is not null then
        perform orchestration._refuse('OR306', format('task run %s of graph run %s has not ended', v_id, old.id), 'Wait for it, or cancel it.');
    end if;
    perform set_config('orchestration.engine', 'on', true);
    delete from orchestration.graph_run_task_run l where l.graph_run_id = old.id;
    delete from orchestration.countdown c where c.graph_run_id = old.id;
    delete from orchestration.stand_in s where s.graph_run_id = old.id;
    perform set_config('orchestration.engine', '', true);
    return old;
end
$$;
comment on function orchestration.tg_graph_run__delete() is 'a graph run leaves by hand only when it has ended and shares no task run.';
create or replace trigger _100_delete before delete on orchestration.graph_run for each row
    when (coalesce(current_setting('orchestration.engine', true), '') <> 'on' or current_user <> 'orchestration_owner') execute function orchestration.tg_graph_run__delete();
