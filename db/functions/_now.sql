create or replace function orchestration._now() returns timestamptz
language plpgsql volatile parallel safe
set search_path = ''
as $$
-- Purpose: the one clock. Setting orchestration.clock (RFC 3339) overrides it for the transaction: tests set time instead of sleeping.
--          Not in SQL: that would be parsed and planned anew in every statement that asks.
begin
    return coalesce(nullif(current_setting('orchestration.clock', true), '')::timestamptz, clock_timestamp());
end
$$;
comment on function orchestration._now() is 'The one clock; setting orchestration.clock overrides it.';
