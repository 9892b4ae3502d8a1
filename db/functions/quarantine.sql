create or replace function orchestration.quarantine(
    instance bigint, topic text, partition integer, "offset" bigint, key bytea, payload bytea, sqlstate_code text, message text,
    epoch bigint, expected bigint, next_offset bigint) returns void
language plpgsql security definer
set search_path = ''
as $$
-- @plpgsql_check_options: other_warnings = off
-- Purpose: a message that ingest cannot take in for a reason nobody foresaw: a dead letter, reason error, with its offset.
-- Raises:  OR710, OR711.
-- Calls:   ingest.
begin
    perform orchestration.ingest(instance, topic, '{}', '{}', '{}', '{}', array[partition], array[epoch], array[expected], array[next_offset], '{}');
    insert into orchestration.dead_letter (topic, partition, "offset", key, value, reason, detail)
    values (quarantine.topic, quarantine.partition, quarantine."offset", quarantine.key, quarantine.payload, 'error', format('%s: %s', sqlstate_code, message));
end
$$;
comment on function orchestration.quarantine(bigint, text, integer, bigint, bytea, bytea, text, text, bigint, bigint, bigint) is
    'Puts away a message that cannot be applied, with its offset.';
