create or replace function orchestration._retry_delay(p_delay interval, p_attempt integer) returns interval
language sql immutable parallel safe
set search_path = ''
as $$
    -- Purpose: how long after the failure of attempt p_attempt the next one is due: retry_delay, doubled with each attempt, at most 1 hour.
    select least(least(p_delay, interval '1 hour') * power(2, least(p_attempt - 1, 32)), interval '1 hour')
$$;
comment on function orchestration._retry_delay(interval, integer) is 'How long after the failure of an attempt the next one is due.';
