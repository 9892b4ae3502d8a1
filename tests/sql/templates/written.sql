-- SPEC 4.7: a template is compiled and checked when it is written; a refusal names the place, the character and the word.
select plan(38);
set local client_min_messages = warning;
select given_task('t');

create function pg_temp.write(template text) returns text language sql as $$
    select format('update orchestration.task set config_template = %L where name = ''t''', template)
$$;
create function pg_temp.compiled() returns text language sql as $$
    select string_agg(concat_ws(' ', h.place, case when h.whole then 'whole' end, h.path::text, nullif(array_to_string(h.upstream, ','), '')), ' | ' order by h.n)
    from orchestration.task_placeholder h where h.task_id = tap.task_id('t')
$$;

-- what is understood
update task set config_template = '{"a": "{{ run.run_key }}", "b": ["{{ $.params.x }}", "p-{{attempt}}-{{ task.name }}"]}' where name = 't';
select is(pg_temp.compiled(), '/a whole $."run"."run_key" | /b/0 whole $."params"."x" | /b/1 $."attempt" | /b/1 $."task"."name" | ', 'with and without the leading $.');
select ok((select templated from task_card where task_id = task_id('t')), 'the task is known to have placeholders');
update task set config_template = '{"a": "{{ strict $.params.x }}", "b": "{{ lax params.x }}", "c": "{{ strict params.y }}"}' where name = 't';
select is(pg_temp.compiled(), '/a whole strict $."params"."x" | /b whole $."params"."x" | /c whole strict $."params"."y" | ', 'strict and lax');
update task set config_template = '{"a": "{{ upstream.load.result.rows[*] ? (@.n > $.params.least).name }}", "b": "{{ $.upstream.\"a b\".result.x + $.upstream.c.result.y }}"}' where name = 't';
select is((select array_agg(h.upstream order by h.n) from task_placeholder h where h.task_id = task_id('t') and h.path is not null and h.n = 2), array[array['a b', 'c']], 'the tasks a path reads');
update task set config_template = '{"a": "{{ upstream.load-stg.result }}", "b": "{{ $.upstream.6.result.x }}", "c": "{{ upstream.\"6\".result }}"}' where name = 't';
select is(pg_temp.compiled(), '/a whole $."upstream"."load-stg"."result" load-stg | /b whole $."upstream"."6"."result"."x" 6 | /c whole $."upstream"."6"."result" 6 | ',
          'a task''s name behind upstream needs no quotes where it is letters, digits, _ and -');
update task set config_template = '{"x~/y": {"z": [0, {"k": "{{ run }}"}]}, "": "{{params}}"}' where name = 't';
select is(pg_temp.compiled(), '/ whole $."params" | /x~0~1y/z/1/k whole $."run" | ', 'places are JSON pointers');
update task set config_template = '{"a": "}} { {", "b": "{ {x} }"}' where name = 't';
select is(pg_temp.compiled(), null, 'braces that open no placeholder are text');
select ok(not (select templated from task_card where task_id = task_id('t')), 'and the task has none');
update task set config_template = '{"a": "{{ \"{{\" }} x }}"}' where name = 't';
select is((select piece from task_placeholder where task_id = task_id('t')), '{"a": "{{ x }}"}', 'a string alone stands for itself: so braces are written');
update task set config_template = '{"a": "{{ params.x ? (@ == \"}}\") }}"}' where name = 't';
select is(pg_temp.compiled(), '/a whole $."params"."x"?(@ == "}}") | ', 'braces in a string do not close');
insert into task (process_id, name, config_template) select process_id, 'with', '{"a": "{{ attempt }}"}' from task where name = 't';
select is((select count(*)::int from task_placeholder where task_id = task_id('with')), 2, 'compiled at INSERT too');
delete from task where name = 'with';
select is((select count(*)::int from task_placeholder where place = '/a' and spelled = 'attempt'), 0, 'and gone with the task');
update task set config_template = '{"a": "{{ attempt }}"}' where name = 't';
update task set timeout = '1 hour' where name = 't';
select is(pg_temp.compiled(), '/a whole $."attempt" | ', 'another column changed: it stays');

-- what is refused, with the place, the character (from 1) in its string, and the word
select refuses(pg_temp.write('{"source": {"table": "ab{{ params.x"}}'), 'OR104', 'task "t".*/source/table, character 3: .*not closed', 'not closed');
select refuses(pg_temp.write('{"source": {"table": "{{ params.\"x }}"}}'), 'OR104', '/source/table, character 1: .*quote', 'a quote not closed');
select refuses(pg_temp.write('{"a": "{{}}"}'), 'OR104', 'at /a, character 3, .*empty', 'empty');
select refuses(pg_temp.write('{"a": ["{{   }}"]}'), 'OR104', 'at /a/0, .*empty', 'empty but for spaces');
select refuses(pg_temp.write('{"a": "{{ params.x | default(1) }}"}'), 'OR104', 'at /a, character 13, near "\|"', 'no filters of Jinja');
select refuses(pg_temp.write('{"a": "{{ params[''x''] }}"}'), 'OR104', 'at /a, character 10, near "\[', 'no subscripts of Jinja');
select refuses(pg_temp.write('{"a": "{{ params.load-stg.x }}"}'), 'OR104', 'at /a, character 15, near "-stg', 'a hyphen needs quotes');
select refuses(pg_temp.write('{"a": "{{ params..x }}"}'), 'OR104', 'at /a, character 10, near "\.\.x', 'two dots');
select refuses(pg_temp.write('{"a": "ü{{ params.x and params.y }}"}'), 'OR104', 'at /a, character 14, near "and"', 'characters, not bytes');
select refuses(pg_temp.write('{"a": "{{ foo.bar }}"}'), 'OR104', 'at /a, character 4, near "foo".*run, graph, task, params, attempt or upstream', 'an unknown name');
select refuses(pg_temp.write('{"a": "{{ $ }}"}'), 'OR104', '\$ alone', 'not the whole context');
select refuses(pg_temp.write('{"a": "{{ $x }}"}'), 'OR104', 'variable', 'no variables');
select refuses(pg_temp.write('{"a": "{{ run.key }}"}'), 'OR104', 'character 8, near "key".*run.run_key', 'run has three');
select refuses(pg_temp.write('{"a": "{{ graph.owner }}"}'), 'OR104', 'graph.name', 'graph has two');
select refuses(pg_temp.write('{"a": "{{ task.run_id }}"}'), 'OR104', 'task.process', 'task has four');
select refuses(pg_temp.write('{"a": "{{ attempt.x }}"}'), 'OR104', 'attempt alone', 'attempt is a number');
select refuses(pg_temp.write('{"a": "{{ upstream.x.status }}"}'), 'OR104', 'near "status".*upstream.<task>.result', 'upstream has results only');
select refuses(pg_temp.write('{"a": "{{ upstream.*.result }}"}'), 'OR104', 'the task named', 'of a task that is named');
select refuses(pg_temp.write('{"a": "{{ 7*7 }}"}'), 'OR104', 'near "7\*7".*nothing of the context', 'a calculation is no path');
select refuses(pg_temp.write('{"a": "{{ params.x like_regex \"(\" }}"}'), 'OR104', 'regular expression', 'a bad regular expression');
select refuses(pg_temp.write('{"a": "{{ params.**.**.x }}"}'), 'OR104', 'more than one \*\*', 'no ** of **');
select refuses(pg_temp.write('{"{{ params.x }}": 1}'), 'OR104', 'the key "\{\{ params.x \}\}"', 'not in keys');
select refuses(pg_temp.write('{"a": "{{ ' || repeat('x', 1001) || ' }}"}'), 'OR104', 'limit is 1000', 'a path over 1000 characters');
select refuses(pg_temp.write('{"a": "' || repeat('{{ attempt }}', 257) || '"}'), 'OR104', '256', 'over 256 placeholders');
select is(pg_temp.compiled(), '/a whole $."attempt" | ', 'nothing refused left a trace');
