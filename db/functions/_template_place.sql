create or replace function orchestration._template_place(p_names text[]) returns text
language sql immutable parallel safe
set search_path = ''
as $$
    -- Purpose: the JSON pointer of a place. Parameters: keys, as JSON text with quotes, and indexes, without.
    select coalesce(string_agg('/' || replace(replace(case when left(k.name, 1) = '"' then k.name::jsonb #>> '{}' else k.name end, '~', '~0'), '/', '~1'), '' order by k.i), '')
    from unnest(p_names) with ordinality k(name, i)
$$;
comment on function orchestration._template_place(text[]) is 'The JSON pointer of a place in a template.';
