create or replace function orchestration.tg_record__refuse() returns trigger
language plpgsql
set search_path = ''
as $$
-- Purpose: the record is append-only for every role; only purge removes. Raises: OR305.
begin
    if tg_op = 'DELETE' and current_setting('orchestration.purge', true) = 'on'
       and current_user = (select r.rolname from pg_catalog.pg_class c join pg_catalog.pg_roles r on r.oid = c.relowner where c.oid = tg_relid) then
        return null;
    end if;
    perform orchestration._refuse('OR305', format('%s of %s', tg_op, tg_table_name), 'History and run tables are not emptied by hand: rows leave by orchestration.purge(older_than, batch).');
    return null;
end
$$;
comment on function orchestration.tg_record__refuse() is 'Refuses UPDATE, DELETE, TRUNCATE of the record, TRUNCATE of run tables.';
create or replace trigger _100_refuse before update or delete on orchestration.task_run_event for each statement execute function orchestration.tg_record__refuse();
create or replace trigger _100_refuse_truncate before truncate on orchestration.task_run_event for each statement execute function orchestration.tg_record__refuse();
create or replace trigger _100_refuse_truncate before truncate on orchestration.task_run for each statement execute function orchestration.tg_record__refuse();
create or replace trigger _100_refuse_truncate before truncate on orchestration.graph_run for each statement execute function orchestration.tg_record__refuse();
create or replace trigger _100_refuse_truncate before truncate on orchestration.graph_run_task_run for each statement execute function orchestration.tg_record__refuse();
