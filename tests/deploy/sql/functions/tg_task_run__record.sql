-- One function for three triggers, whose transition tables bear two names: what plpgsql_check must be told.
create or replace function orchestration.tg_task_run__record() returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if tg_op = 'UPDATE' then
        insert into orchestration.task_run_event (task_run_id, new_status)
        select c.id, c.status from changed c join before b using (id) where c.status <> b.status;
    else
        insert into orchestration.task_run_event (task_run_id, new_status) select id, status from changed;
    end if;
    return null;
end
$$;
create or replace trigger _500_record after insert on orchestration.task_run
    referencing new table as changed for each statement execute function orchestration.tg_task_run__record();
create or replace trigger _500_record_update after update on orchestration.task_run
    referencing old table as before new table as changed
    for each statement execute function orchestration.tg_task_run__record();
create or replace trigger _500_record_delete after delete on orchestration.task_run
    referencing old table as changed for each statement execute function orchestration.tg_task_run__record();
