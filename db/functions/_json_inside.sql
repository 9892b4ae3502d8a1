create or replace function orchestration._json_inside(p_text text) returns text
language sql immutable parallel safe
set search_path = ''
as $$
    -- Purpose: text as it stands inside a JSON string, without the quotes.
    select substr(j.t, 2, length(j.t) - 2) from (select to_json(p_text)::text as t) j
$$;
comment on function orchestration._json_inside(text) is 'Text as it stands inside a JSON string.';
