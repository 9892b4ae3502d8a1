create or replace function orchestration._template_pieces(p_task text, p_template jsonb)
returns table (n integer, place text, piece text, path jsonpath, spelled text, whole boolean, upstream text[])
language plpgsql immutable
set search_path = ''
as $$
-- Purpose: compile a config template (SPEC 4.7): its JSON text cut at the placeholders. Rendering only puts the values' JSON between the
--          pieces, so nothing in a value or in the template is ever read twice. A template without {{ has no rows.
-- Parameters: the task's name, for messages; the template.
-- Returns: in order: place (JSON pointer), the text before the placeholder, the path, as it was spelled, whether the string is that placeholder
--          alone (then the value keeps its JSON type, else it becomes text), the tasks whose results it reads. The last row has only the
--          text behind all placeholders.
-- Raises:  OR104, naming the place, the character in its string, and the word.
-- Calls:   _template_path.
declare
    v_text text := p_template::text;
    v_at integer := 1;                -- character of v_text where the token begins
    v_from integer := 1;              -- where the piece at hand begins
    v_piece text := '';               -- what stands before v_from and belongs to the piece
    v_token text;
    v_kinds text := '';               -- open objects and arrays, one character each
    v_names text[] := '{}'::text[];           -- the key or index at hand in each
    v_is_key boolean := false;
    v_depth integer := 0;
    v_string text;
    v_pos integer;
    v_start integer;
    v_inside text;
    v_found record;
    v_example text;
begin
    if strpos(v_text, '{{') = 0 then
        return;
    end if;
    n := 0;
    for v_token in select m[1] from regexp_matches(v_text, '("(?:[^"\\]|\\.)*"|[][{},:]|[^][{},:"]+)', 'g') m loop
        if v_token in ('{', '[') then
            v_depth := v_depth + 1;
            v_kinds := left(v_kinds, v_depth - 1) || v_token;
            v_names[v_depth] := '0';
            v_is_key := v_token = '{';
        elsif v_token in ('}', ']') then
            v_depth := v_depth - 1;
        elsif v_token = ',' then
            if substr(v_kinds, v_depth, 1) = '[' then
                v_names[v_depth] := (v_names[v_depth]::integer + 1)::text;
            else
                v_is_key := true;
            end if;
        elsif v_token = ':' then
            v_is_key := false;
        elsif v_is_key and left(v_token, 1) = '"' then
            v_names[v_depth] := v_token;
            if strpos(v_token, '{{') > 0 then
                perform orchestration._refuse('OR104', format('config template of task %s: the key %s at %s holds {{', to_json(p_task), left(v_token, 80),
                    orchestration._template_place(v_names[:v_depth - 1])), 'Placeholders stand in values only: rename the key.');
            end if;
        elsif left(v_token, 1) = '"' and strpos(v_token, '{{') > 0 then
            v_string := v_token::jsonb #>> '{}';
            place := orchestration._template_place(v_names[:v_depth]);
            v_piece := v_piece || substr(v_text, v_from, v_at - v_from) || '"';
            v_pos := 1;
            loop
                v_start := strpos(substr(v_string, v_pos), '{{');
                if v_start = 0 then
                    v_piece := v_piece || orchestration._json_inside(substr(v_string, v_pos)) || '"';
                    exit;
                end if;
                v_start := v_pos + v_start - 1;
                v_piece := v_piece || orchestration._json_inside(substr(v_string, v_pos, v_start - v_pos));
                v_inside := substring(substr(v_string, v_start + 2) from '^((?:[^"}]|"(?:[^"\\]|\\.)*"|}(?!}))*)}}');
                if v_inside is null then
                    perform orchestration._refuse('OR104', format('config template of task %s: at %s, character %s: {{ is not closed%s', to_json(p_task), place, v_start,
                        case when strpos(substr(v_string, v_start + 2), '}}') > 0 then ', or a quote inside it is not' else '' end),
                        'Write {{ path }}, for example {{ run.run_key }}; {{ "{{" }} stands for the braces themselves.');
                end if;
                v_found := orchestration._template_path(v_inside);
                if v_found.problem is not null then
                    v_example := case when v_found.problem ~ 'syntax error|junk|escape|quoted' then
                        'Write a SQL/JSON path such as params.table or params."with-hyphen"; nothing but the path is evaluated.'
                        else 'Known are run.{id, run_key, created_at}, graph.{id, name}, task.{id, name, service, process}, params, attempt, upstream.<task>.result.' end;
                    perform orchestration._refuse('OR104', format('config template of task %s: at %s, character %s, near %s: %s', to_json(p_task), place,
                        v_start + 1 + v_found.at, to_json(v_found.word), v_found.problem), v_example);
                end if;
                v_pos := v_start + length(v_inside) + 4;
                if v_found.path is null then
                    v_piece := v_piece || orchestration._json_inside(v_found.literal);
                else
                    n := n + 1;
                    if n > 256 then
                        perform orchestration._refuse('OR104', format('config template of task %s: at %s: more than 256 placeholders', to_json(p_task), place),
                            'Take whole objects, for example "{{ params }}", in place of their parts.');
                    end if;
                    whole := v_start = 1 and v_pos > length(v_string);
                    piece := case when whole then left(v_piece, -1) else v_piece end;
                    path := v_found.path;
                    spelled := btrim(v_inside);
                    upstream := v_found.upstream;
                    return next;
                    v_piece := '';
                    if whole then
                        exit;
                    end if;
                end if;
            end loop;
            v_from := v_at + length(v_token);
        end if;
        v_at := v_at + length(v_token);
    end loop;
    n := n + 1; place := null; path := null; spelled := null; whole := false; upstream := '{}';
    piece := v_piece || substr(v_text, v_from);
    return next;
end
$$;
comment on function orchestration._template_pieces(text, jsonb) is 'Compiles a config template.';
