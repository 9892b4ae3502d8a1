create or replace function orchestration._now() returns timestamptz
language sql stable
set search_path = ''
as $$ select clock_timestamp() $$;
