create or replace function orchestration._now() returns timestamptz
language sql volatile parallel safe
set search_path = ''
as $$
    -- The one clock. Setting orchestration.clock (RFC 3339) overrides it for the transaction: tests set time instead of sleeping.
    select coalesce(nullif(current_setting('orchestration.clock', true), '')::timestamptz, clock_timestamp())
$$;
comment on function orchestration._now() is 'The one clock; setting orchestration.clock overrides it.';
