create or replace function orchestration._parse_events(p_payloads bytea[]) returns jsonb[]
language plpgsql
set search_path = ''
as $$
-- Purpose: bytes to JSON, element by element; null where the bytes are no UTF-8 JSON that jsonb can hold. The whole batch at once, and
--          only where that fails one by one.
declare
    v_events jsonb[];
begin
    begin
        return array(select convert_from(p.payload, 'UTF8')::jsonb from unnest(p_payloads) with ordinality p(payload, i) order by p.i);
    exception when data_exception or program_limit_exceeded or statement_too_complex then
        null;
    end;
    for i in 1 .. cardinality(p_payloads) loop
        begin
            v_events[i] := convert_from(p_payloads[i], 'UTF8')::jsonb;
        exception when data_exception or program_limit_exceeded or statement_too_complex then
            v_events[i] := null;
        end;
    end loop;
    return v_events;
end
$$;
comment on function orchestration._parse_events(bytea[]) is 'Bytes to JSON; null where they are none.';
