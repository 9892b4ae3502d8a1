create or replace function orchestration._instant(p_at timestamptz) returns text
language plpgsql immutable parallel safe
set search_path = ''
as $$
-- Purpose: an instant in words, UTC: 2026-11-22 03:12:00Z.
begin
    return to_char(p_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"');
end
$$;
comment on function orchestration._instant(timestamptz) is 'An instant in words, UTC.';
