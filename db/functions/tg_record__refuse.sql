create or replace function orchestration.tg_record__refuse() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: the record is append-only for every role; only purge removes, which is told by the call stack, not by a setting. Raises: OR305.
declare
    v_stack text;
begin
    get diagnostics v_stack = pg_context;
    if tg_op = 'DELETE' and v_stack ~ '
PL/pgSQL function orchestration\.purge\(interval,integer\) line' then
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
