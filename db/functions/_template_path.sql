create or replace function orchestration._template_path(p_text text, out path jsonpath, out upstream text[], out literal text, out problem text, out at integer, out word text)
language plpgsql immutable
set search_path = ''
as $$
-- Purpose: understand what stands between {{ and }}: a SQL/JSON path over the context of a dispatch (SPEC 4.7), with or without the leading
--          `$.`; or one JSON string alone, which stands for itself (so {{ "{{" }} writes the braces).
-- Parameters: the text between the braces.
-- Returns: the path and the tasks whose results it reads; or the literal text; or the problem, the character (from 1) and the word where it lies.
declare
    v_text text := p_text;
    v_shift integer := 0;            -- characters put before the path
    v_mode text;
    v_token text[];
    v_keys text[];
    v_roots integer := 0;
    v_valid integer := 0;
begin
    v_shift := - (length(v_text) - length(ltrim(v_text, E' \t\n\r')));
    v_text := btrim(v_text, E' \t\n\r');
    upstream := '{}';
    if v_text = '' then
        problem := 'the placeholder is empty'; at := 1; word := '}}';
        return;
    elsif length(v_text) > 1000 then
        problem := format('the path has %s characters; the limit is 1000', length(v_text)); at := 1 - v_shift; word := left(v_text, 20);
        return;
    end if;
    if v_text ~ '^"(?:[^"\\]|\\.)*"$' then
        begin
            literal := v_text::jsonb #>> '{}';
            return;
        exception when data_exception then
            problem := 'the string is no JSON'; at := 1 - v_shift; word := left(v_text, 20);
            return;
        end;
    end if;
    v_mode := coalesce(substring(v_text from '^((?:strict|lax)\s+)'), '');
    v_text := substr(v_text, length(v_mode) + 1);
    if v_text ~ '^(?:[[:alpha:]_]|")' and v_text !~ '^(?:exists|true|false|null|last)\M' then
        v_text := '$.' || v_text;
        v_shift := v_shift + 2;
    end if;
    -- upstream.load-stg.result, upstream.6.result: a task's name needs no quotes there
    v_token := regexp_match(v_text, '^(\$\s*\.\s*upstream\s*\.\s*)([[:alnum:]_-]+)(\s*\.\s*result\M.*)$');
    if v_token is not null then
        v_text := v_token[1] || '"' || v_token[2] || '"' || v_token[3];
    end if;
    begin
        path := (v_mode || v_text)::jsonpath;
    exception when data_exception or syntax_error or program_limit_exceeded then
        problem := case when sqlerrm like '%at end of jsonpath input' then 'syntax error' else sqlerrm end;
        -- the longest beginning that is a path ends before the word that is wrong
        for n in reverse length(v_text) - 1 .. 1 loop
            begin
                perform (v_mode || left(v_text, n))::jsonpath;
                v_valid := n;
                exit;
            exception when data_exception or syntax_error or program_limit_exceeded then
                null;
            end;
        end loop;
        word := substring(substr(v_text, v_valid + 1) from '\S{1,40}');
        at := greatest(1, v_valid + strpos(substr(v_text, v_valid + 1), word) - v_shift + length(v_mode)
                          - case when v_token is not null then 2 else 0 end);
        return;
    end;
    -- what it reads: every $ outside of strings, with the names that follow it, in the spelling of the database
    for v_token in select m from regexp_matches(path::text, '\$("(?:[^"\\]|\\.)*")?((?:\."(?:[^"\\]|\\.)*")*)|"(?:[^"\\]|\\.)*"|\*\*', 'g') m loop
        continue when v_token[2] is null;
        v_roots := v_roots + 1;
        v_keys := array(select ('"' || k[1] || '"')::jsonb #>> '{}' from regexp_matches(v_token[2], '\."((?:[^"\\]|\\.)*)"', 'g') k);
        if v_token[1] is not null then
            problem := format('$%s is a variable, and there are none', v_token[1]);
        elsif coalesce(v_keys[1], '') not in ('run', 'graph', 'task', 'params', 'attempt', 'upstream') then
            problem := format('%s is not known; a path begins with run, graph, task, params, attempt or upstream', coalesce(v_keys[1], '$ alone'));
            v_keys := v_keys[1:1];
        elsif (v_keys[1] = 'run' and v_keys[2] not in ('id', 'run_key', 'created_at')) or (v_keys[1] = 'graph' and v_keys[2] not in ('id', 'name'))
              or (v_keys[1] = 'task' and v_keys[2] not in ('id', 'name', 'service', 'process')) or (v_keys[1] = 'attempt' and v_keys[2] is not null) then
            problem := format('%s has no %s; there is %s', v_keys[1], v_keys[2],
                              case v_keys[1] when 'run' then 'run.id, run.run_key, run.created_at' when 'graph' then 'graph.id, graph.name'
                                             when 'task' then 'task.id, task.name, task.service, task.process' else 'attempt alone' end);
            v_keys := v_keys[2:2];
        elsif v_keys[1] = 'upstream' and coalesce(v_keys[3], '') <> 'result' then
            problem := 'upstream is read as upstream.<task>.result, the task named';
            v_keys := v_keys[3:3];
        elsif v_keys[1] = 'upstream' and not v_keys[2] = any (upstream) then
            upstream := upstream || v_keys[2];
        end if;
        if problem is not null then
            word := coalesce(v_keys[1], left(v_text, 20));
            at := greatest(1, strpos(p_text, word));
            path := null;
            return;
        end if;
    end loop;
    if v_roots = 0 then
        problem := 'the path reads nothing of the context'; word := left(v_text, 20); at := greatest(1, strpos(p_text, word)); path := null;
    elsif (select count(*) from regexp_matches(path::text, '"(?:[^"\\]|\\.)*"|\*\*', 'g') m where m[1] = '**') > 1 then
        problem := 'the path has more than one **'; word := '**'; at := strpos(p_text, word); path := null;
    end if;
end
$$;
comment on function orchestration._template_path(text) is 'Understands one placeholder of a config template.';
