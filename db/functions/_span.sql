create or replace function orchestration._span(p_span interval) returns text
language plpgsql immutable parallel safe
set search_path = ''
as $$
-- Purpose: a duration in words, its two largest units: 40 s, 3 min 20 s, 2 h 5 min, 3 d 4 h.
declare
    v_s bigint := extract(epoch from p_span);
begin
    return case when v_s is null then null
                when v_s < 1 then '0 s'
                when v_s < 60 then v_s || ' s'
                when v_s < 3600 then v_s / 60 || ' min' || case when v_s % 60 > 0 then ' ' || v_s % 60 || ' s' else '' end
                when v_s < 86400 then v_s / 3600 || ' h' || case when v_s % 3600 / 60 > 0 then ' ' || v_s % 3600 / 60 || ' min' else '' end
                else v_s / 86400 || ' d' || case when v_s % 86400 / 3600 > 0 then ' ' || v_s % 86400 / 3600 || ' h' else '' end end;
end
$$;
comment on function orchestration._span(interval) is 'A duration in words.';
