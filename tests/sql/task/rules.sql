-- SPEC 2, task: name unique, template checked when written, intervals and counts within bounds; defaults of SPEC 4.6.
select plan(30);

select given_task('t'), given_task('u');
select is((select (config_template, timeout, ack_timeout, max_attempts, retry_delay, archived)::text from task where name = 't'), '({},,,1,00:01:00,f)',
          'defaults: empty template, no timeout, one attempt, a minute before the next');
select refuses($$ update task set name = 't' where name = 'u' $$, 'OR102', 'task "t" exists', 'a name that is taken');
select refuses($$ insert into task (process_id, name) select process_id, 'u' from task where name = 't' $$, 'OR102', 'task "u" exists', 'unique over all processes');
select refuses($$ update task set name = '' where name = 'u' $$, 'OR101', 'task name ""', 'an empty name');
select refuses($$ update task set name = null where name = 'u' $$, 'OR101', 'task name null', 'no name');
select refuses($$ update task set name = E'a\nb' where name = 'u' $$, 'OR101', 'task name', 'a control character in the name');
select refuses($$ update task set name = repeat('x', 251) where name = 'u' $$, 'OR101', 'task name', '251 characters');
select refuses($$ insert into task (process_id, name) values (-1, 'v') $$, 'OR107', 'task "v" names process -1', 'a process that is not there');
select refuses($$ insert into task (process_id, name) values (null, 'v') $$, 'OR107', 'task "v" names process null', 'no process');
select lives_ok($$ insert into task (process_id, name) select process_id, 't2' from task where name = 't' $$, 'several tasks of one process');

select refuses(format('update task set config_template = %L where name = %L', t.template, 't'), 'OR104', 'config template of task "t"', 'template: ' || t.what)
from (values ('[]', 'an array'), ('"x"', 'a string'), ('null', 'JSON null'), ('{"a": "{{ run. }}"}', 'a path that is none'),
             ('{"{{": 1}', 'braces in a key')) t(template, what);
select refuses($$ update task set config_template = null where name = 't' $$, 'OR104', 'config template of task "t"', 'template: SQL null');
select lives_ok($$ update task set config_template = '{"a": {"b": [1, null, "{ {"]}}' where name = 't' $$, 'any other object is a template');

select refuses(format('update task set %s where name = %L', t.change, 't'), 'OR106', 'task "t"', 'refused: ' || t.change)
from (values ('timeout = interval ''0'''), ('timeout = interval ''-1 s'''), ('timeout = interval ''11 years'''),
             ('ack_timeout = interval ''0'''), ('max_attempts = 0'), ('max_attempts = 1001'), ('max_attempts = null'),
             ('retry_delay = interval ''-1 s'''), ('retry_delay = interval ''13 months'''), ('retry_delay = null')) t(change);
select lives_ok($$ update task set timeout = '1 s', ack_timeout = '1 s', max_attempts = 1000, retry_delay = '0' where name = 't' $$, 'the bounds themselves are allowed');
select lives_ok($$ update task set timeout = null, ack_timeout = null where name = 't' $$, 'null: none');
select is((select count(*)::int from task where name in ('t', 'u', 't2')), 3, 'what was refused left nothing');
