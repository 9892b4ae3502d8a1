create or replace function orchestration.report(event jsonb) returns bigint
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: an event exactly as from Kafka, without Kafka. What Kafka would make a dead letter is one here too (topic sql, or the source
--          set by the API), answering null.
-- Returns: the task run's id; null: a dead letter.
-- Raises:  OR501 where event is null.
-- Calls:   _apply_events.
begin
    if event is null then
        perform orchestration._refuse('OR501', 'report was called without an event', 'Pass a JSON object, for example {"service": "nifi", "process": "load_stg", "status": "SUCCESS"}.');
    end if;
    return (orchestration._apply_events(coalesce(nullif(nullif(current_setting('orchestration.source', true), ''), 'event'), 'sql'),
                                        array[null::integer], array[null::bigint], array[null::bytea], array[convert_to(event::text, 'UTF8')]))[1];
end
$$;
comment on function orchestration.report(jsonb) is 'Takes an event exactly as from Kafka; answers the task run''s id, null for a dead letter.';
