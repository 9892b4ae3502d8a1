create or replace function orchestration._rfc3339(p_at timestamptz) returns text
language plpgsql immutable parallel safe
set search_path = ''
as $$
-- Purpose: an instant for machines, UTC, to the microsecond: 2026-11-22T03:12:00.000000Z (RFC 3339).
begin
    return to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
end
$$;
comment on function orchestration._rfc3339(timestamptz) is 'An instant for machines, UTC, RFC 3339.';
