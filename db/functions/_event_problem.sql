create or replace function orchestration._event_problem(p_event jsonb, p_size integer) returns text
language plpgsql stable
set search_path = ''
as $$
-- Purpose: what is wrong with the form of an event (SPEC 3), in words; null: nothing.
declare
    v_field text;
    v_value text;
begin
    if p_size > 1048576 then
        return format('the message has %s bytes; the limit is 1 MiB', p_size);
    elsif p_event is null then
        return 'the message is not JSON in UTF-8 (or holds \u0000)';
    elsif jsonb_typeof(p_event) <> 'object' then
        return format('the message is a JSON %s, not an object', jsonb_typeof(p_event));
    elsif p_event -> 'v' is not null and p_event -> 'v' not in ('1'::jsonb, 'null'::jsonb) then
        return format('version %s of the event format is not known; this is 1', left(p_event ->> 'v', 40));
    elsif p_event ->> 'status' is null then
        return 'status is missing';
    elsif jsonb_typeof(p_event -> 'status') <> 'string' or p_event ->> 'status' not in ('ACCEPTED', 'RUNNING', 'SUCCESS', 'FAILED', 'SKIPPED') then
        return format('status %s is not one of ACCEPTED, RUNNING, SUCCESS, FAILED, SKIPPED', left((p_event -> 'status')::text, 80));
    elsif p_event ->> 'task_run_id' is not null and (jsonb_typeof(p_event -> 'task_run_id') <> 'number' or p_event ->> 'task_run_id' !~ '^[0-9]{1,18}$') then
        return format('task_run_id %s is not a positive whole number', left((p_event -> 'task_run_id')::text, 80));
    elsif p_event ->> 'task_run_id' is null and (p_event ->> 'service' is null or p_event ->> 'process' is null) then
        return 'neither task_run_id nor service and process are given';
    end if;
    foreach v_field in array array['service', 'process', 'task', 'run_key', 'external_id', 'event_id'] loop
        v_value := p_event ->> v_field;
        if v_value is not null and (jsonb_typeof(p_event -> v_field) <> 'string' or char_length(v_value) not between 1 and 250 or v_value ~ '[[:cntrl:]]') then
            return format('%s %s is not text of 1 to 250 characters without control characters', v_field, left((p_event -> v_field)::text, 80));
        end if;
    end loop;
    foreach v_field in array array['detail', 'occurred_at', 'installation'] loop
        if p_event ->> v_field is not null and jsonb_typeof(p_event -> v_field) <> 'string' then
            return format('%s is not text', v_field);
        end if;
    end loop;
    if p_event ->> 'result' is not null and jsonb_typeof(p_event -> 'result') <> 'object' then
        return format('result is a JSON %s, not an object', jsonb_typeof(p_event -> 'result'));
    elsif p_size > 262144 and octet_length(p_event ->> 'result') > 262144 then
        return format('result has %s bytes; the limit is 256 KiB', octet_length(p_event ->> 'result'));
    end if;
    return null;
end
$$;
comment on function orchestration._event_problem(jsonb, integer) is 'What is wrong with the form of an event; null: nothing.';
