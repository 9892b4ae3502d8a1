create or replace function orchestration._require_read_committed() returns void
language plpgsql
set search_path = ''
as $$
-- Purpose: locks protect a rule only where the next statement sees what was committed meanwhile.
-- Raises: OR206.
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        perform orchestration._refuse('OR206', format('transaction isolation %s cannot be used here', current_setting('transaction_isolation')),
            'Run it in a READ COMMITTED transaction, the default of PostgreSQL.');
    end if;
end
$$;
comment on function orchestration._require_read_committed() is 'Refuses (OR206) any other isolation level.';
