-- SPEC 4.7: what stands in the config of a dispatch. The context is fixed, a string that is one placeholder keeps the JSON type, inside
-- text a value becomes text; a path that finds nothing makes the task run FAILED, reason config, and nothing is dispatched.
select plan(57);
set local client_min_messages = warning;
create function pg_temp.template(task text, template jsonb) returns void language sql as $$
    update orchestration.task set config_template = template.template where name = template.task
$$;
create function pg_temp.note(name text, id bigint) returns text language sql as $$ select set_config('tap.' || name, id::text, true) $$;
create function pg_temp.noted(name text) returns bigint language sql as $$ select current_setting('tap.' || name)::bigint $$;
create function pg_temp.sent(task_run bigint) returns jsonb language sql as $$
    select d.value::jsonb -> 'config' from orchestration.dispatch d where d.task_run_id = sent.task_run
$$;

-- the context
select given_task('one', 'airflow', 'dag/1'), given_graph('integration "i"', 'one -> two -> three');
select pg_temp.template('one', '{"run": ["{{ run.id }}", "{{ run.run_key }}", "{{ run.created_at }}"], "graph": ["{{ graph.id }}", "{{ graph.name }}"],
    "task": ["{{ task.id }}", "{{ task.name }}", "{{ task.service }}", "{{ task.process }}"], "attempt": "{{ attempt }}", "params": "{{ params }}", "all": "{{ run }}"}');
create temp table r as select launch_graph('integration "i"', '{"n": 1, "deep": {"x": [1, 2.50, null]}, "none": null, "flag": true, "words": "a \"b\" \\ ü\n", "empty": ""}', '2026-11-22') as id;
select is(pg_temp.sent(at((select id from r), 'one')) -> 'run' ->> 0, (select id::text from r), 'run.id');
select is(jsonb_typeof(pg_temp.sent(at((select id from r), 'one')) #> '{run,0}'), 'number', 'a number');
select is(pg_temp.sent(at((select id from r), 'one')) #>> '{run,1}', '2026-11-22', 'run.run_key');
select is((pg_temp.sent(at((select id from r), 'one')) #>> '{run,2}')::timestamptz, (select created_at from graph_run where id = (select id from r)), 'run.created_at');
select matches(pg_temp.sent(at((select id from r), 'one')) #>> '{run,2}', '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$', 'in UTC with Z');
select is(pg_temp.sent(at((select id from r), 'one')) -> 'graph', jsonb_build_array(graph_id('integration "i"'), 'integration "i"'), 'graph.id, graph.name');
select is(pg_temp.sent(at((select id from r), 'one')) -> 'task', jsonb_build_array(task_id('one'), 'one', 'airflow', 'dag/1'), 'task.id, task.name, task.service, task.process');
select is(pg_temp.sent(at((select id from r), 'one')) -> 'attempt', '1', 'attempt');
select is(pg_temp.sent(at((select id from r), 'one')) -> 'params', (select params from graph_run where id = (select id from r)), 'params');
select is((select array_agg(k order by k) from jsonb_object_keys(pg_temp.sent(at((select id from r), 'one')) -> 'all') k), array['created_at', 'id', 'run_key'], 'run: these three');
select is((select config from task_run where id = at((select id from r), 'one')), pg_temp.sent(at((select id from r), 'one')), 'the task run keeps what was sent');

-- types
select pg_temp.template('two', '{"whole": ["{{ params.n }}", "{{ params.deep }}", "{{ params.deep.x }}", "{{ params.deep.x[1] }}", "{{ params.none }}", "{{ params.flag }}", "{{ params.words }}", "{{ params.empty }}", "{{params.n + 1}}"],
    "text": "n={{ params.n }} x={{ params.deep.x[1] }} none={{ params.none }} flag={{ params.flag }} w={{ params.words }}. o={{ params.deep }} a={{ params.deep.x }} e={{ params.empty }}|", "space": " {{ params.n }}", "lit": "{{ \"{{\" }} x }}", "plain": [1, null, {"a": "b"}]}');
select finish((select id from r), 'one');
select is(pg_temp.sent(at((select id from r), 'two')) -> 'whole', '[1, {"x": [1, 2.50, null]}, [1, 2.50, null], 2.50, null, true, "a \"b\" \\ ü\n", "", 2]', 'a string that is one placeholder keeps the JSON type');
select is(pg_temp.sent(at((select id from r), 'two')) ->> 'text', E'n=1 x=2.50 none=null flag=true w=a "b" \\ ü\n. o={"x": [1, 2.50, null]} a=[1, 2.50, null] e=|', 'inside text scalars are written as text, objects and arrays as JSON');
select is(pg_temp.sent(at((select id from r), 'two')) -> 'space', '" 1"', 'a space makes it text');
select is(pg_temp.sent(at((select id from r), 'two')) -> 'lit', '"{{ x }}"', 'braces written as a string');
select is(pg_temp.sent(at((select id from r), 'two')) -> 'plain', '[1, null, {"a": "b"}]', 'what holds no placeholder is as it was');

-- results of ancestors, near and far, read when it is dispatched
select pg_temp.template('three', '{"near": "{{ upstream.two.result.rows }}", "far": "{{ upstream.one.result }}", "first": "{{ upstream.two.result.list[*] ? (@.n > $.params.n).n }}", "t": "{{ upstream.one.result.a }}/{{ upstream.two.result.rows }}"}');
update task_run set result = '{"a": "x"}' where id = at((select id from r), 'one');
select tell(at((select id from r), 'two'), 'SUCCESS', result => '{"rows": 42, "list": [{"n": 1}, {"n": 7}, {"n": 9}]}');
select is(pg_temp.sent(at((select id from r), 'three')), '{"near": 42, "far": {"a": "x"}, "first": 7, "t": "x/42"}', 'upstream.<task>.result; of several finds the first');
-- once more, compiled with the version
select pg_temp.note('again', launch_graph('integration "i"', '{"n": 0, "deep": {"x": [1, 2]}, "none": null, "flag": false, "words": "", "empty": ""}'));
select is((select array_agg(format('%s %s %s', k.task_name, a.name, f.is_ancestor)) from graph_version_reference f join task a on a.id = f.ancestor_id join task_card k on k.task_id = f.task_id
           where f.version_id = (select version_id from graph_run where id = pg_temp.noted('again'))), array['three one t'], 'a far ancestor is known to the version');
select tell(at(pg_temp.noted('again'), 'one'), 'SUCCESS', result => '{"a": [1]}');
select is(pg_temp.sent(at(pg_temp.noted('again'), 'two')) ->> 'text', 'n=0 x=2 none=null flag=false w=. o={"x": [1, 2]} a=[1, 2] e=|', 'each run has its own');
select report(format('{"task_run_id": %s, "status": "SUCCESS", "result": {"rows": null, "list": [{"n": 3}]}}', at(pg_temp.noted('again'), 'two'))::jsonb);
select is(pg_temp.sent(at(pg_temp.noted('again'), 'three')), '{"near": null, "far": {"a": [1]}, "first": 3, "t": "[1]/null"}', 'a null that is found is found');

-- a path that finds nothing
select given_graph('g', 'a -> [b, c] -> d');
select pg_temp.template('b', '{"x": {"y": ["-", "{{ params.table }}"]}}');
select pg_temp.note('g', launch_graph('g', '{"tabel": 1}'));
select finish(pg_temp.noted('g'), 'a');
select is(picture(pg_temp.noted('g')), 'RUNNING | a SUCCESS | b FAILED | c DISPATCHED | d SKIPPED', 'FAILED, and so on as for any failure');
select is(state(at(pg_temp.noted('g'), 'b')), 'FAILED config', 'reason config');
select is((select detail from task_run where id = at(pg_temp.noted('g'), 'b')), 'task b: at /x/y/1 {{ params.table }} finds nothing', 'the task, the place and the path are named');
select is(pg_temp.sent(at(pg_temp.noted('g'), 'b')), null, 'nothing is dispatched');
select is(history(at(pg_temp.noted('g'), 'b')), '- > QUEUED, QUEUED > FAILED', 'it was never DISPATCHED');
select pg_temp.template('b', '{"x": "{{ strict params.table[0] }}"}');
select pg_temp.note('g', launch_graph('g', '{"table": 1}'));
select finish(pg_temp.noted('g'), 'a');
select is(state(at(pg_temp.noted('g'), 'b')), 'FAILED config', 'strict: a structure that does not fit finds nothing');
select pg_temp.template('b', '{"x": "{{ upstream.a.result.rows }}"}');
select pg_temp.note('g', launch_graph('g'));
select finish(pg_temp.noted('g'), 'a');
select is((select detail from task_run where id = at(pg_temp.noted('g'), 'b')), format('task b: at /x {{ upstream.a.result.rows }} finds nothing: task run %s of task a (SUCCESS) reported no result', at(pg_temp.noted('g'), 'a')), 'an ancestor without result');
select pg_temp.note('g', launch_graph('g'));
select tell(at(pg_temp.noted('g'), 'a'), 'SUCCESS', result => '{"row": 1}');
select is((select detail from task_run where id = at(pg_temp.noted('g'), 'b')), 'task b: at /x {{ upstream.a.result.rows }} finds nothing', 'a result without it');
-- by an event: opened without a launch, nothing refuses it before
select pg_temp.template('b', '{"x": "{{ upstream.c.result.rows }}"}');
select say('a', 'SUCCESS', 'k');
select alike((select detail from task_run where id = at(run('g', -1), 'b')), '%task c does not come before it in this run%', 'no ancestor');
select pg_temp.template('b', '{"x": "{{ upstream.nobody.result.rows }}"}');
select say('a', 'SUCCESS', 'k2');
select alike((select detail from task_run where id = at(run('g', -1), 'b')), '%there is no task nobody', 'no task');
-- edited while the run is under way
select pg_temp.template('b', '{}'), pg_temp.template('d', '{}');
select pg_temp.note('g', launch_graph('g'));
select pg_temp.template('d', '{"near": "{{ upstream.b.result.n }}", "far": "{{ upstream.a.result.n }}"}');
select tell(at(pg_temp.noted('g'), 'a'), 'SUCCESS', result => '{"n": 1}'), tell(at(pg_temp.noted('g'), 'b'), 'SUCCESS', result => '{"n": 2}');
select finish(pg_temp.noted('g'), 'c');
select is(pg_temp.sent(at(pg_temp.noted('g'), 'd')), '{"near": 2, "far": 1}', 'the template is read when it is dispatched, under the run''s version');

-- alone, in no graph
select given_task('alone', template => '{"key": "{{ run.run_key }}", "run": "{{ run.id }}", "graph": "{{ graph.name }}", "attempt": "{{ attempt }}", "t": "{{ task.name }}"}');
with i as (insert into task_run (task_id, run_key) values (task_id('alone'), 'k') returning id) select pg_temp.note('alone', id) from i;
select is(pg_temp.sent(pg_temp.noted('alone')), '{"key": "k", "run": null, "graph": null, "attempt": 1, "t": "alone"}', 'alone: no run, no graph, its own key');
select pg_temp.template('alone', '{"p": "{{ params.x }}"}');
with i as (insert into task_run (task_id) values (task_id('alone')) returning id) select pg_temp.note('alone', id) from i;
select is(state(pg_temp.noted('alone')), 'FAILED config', 'alone it has no params');
with i as (insert into task_run (task_id, config) values (task_id('alone'), '{"p": "{{ mine }}"}') returning id) select pg_temp.note('alone', id) from i;
select is(pg_temp.sent(pg_temp.noted('alone')), '{"p": "{{ mine }}"}', 'a config given with it is sent as it is');
select pg_temp.template('alone', '{"p": "{{ upstream.a.result }}"}');
select refuses('insert into task_run (task_id) values (tap.task_id(''alone''))', 'OR105', 'task "alone" reads task "a"', 'and nothing comes before it');

-- held by a pause, sent by plain SQL: rendered when it goes
select pg_temp.template('d', '{}'), pg_temp.template('a', '{"n": "{{ params.n }}", "attempt": "{{ attempt }}"}'), pg_temp.template('c', '{"n": "{{ params.n }}"}');
select pg_temp.note('g', launch_graph('g', '{"n": 5}'));
select is(pg_temp.sent(at(pg_temp.noted('g'), 'a')), '{"n": 5, "attempt": 1}', 'a root');
insert into graph_pause (graph_id, paused_at) values (graph_id('g'), _now());
select tell(at(pg_temp.noted('g'), 'a'), 'SUCCESS');
select is((select (status, config is null) from task_run where id = at(pg_temp.noted('g'), 'c')), ('QUEUED'::text, true), 'held: not rendered yet');
update task set config_template = '{"m": "{{ params.n }}"}' where name = 'c';
select is(_dispatch(array[at(pg_temp.noted('g'), 'c')]), 0, 'held still');
update graph_pause set resumed_at = paused_at where resumed_at is null;
select _dispatch(array[t.id]) from task_run t where t.id = at(pg_temp.noted('g'), 'c') and t.status = 'QUEUED';
select is(pg_temp.sent(at(pg_temp.noted('g'), 'c')), '{"m": 5}', 'sent: rendered under the template as it is now');
select pg_temp.note('g', launch_graph('g', '{"n": 5}'));
insert into graph_pause (graph_id, paused_at) values (graph_id('g'), _now());
select tell(at(pg_temp.noted('g'), 'a'), 'SUCCESS');
update task set config_template = '{"m": "{{ params.nn }}"}' where name = 'c';
update graph_pause set resumed_at = paused_at where resumed_at is null;
select _dispatch(array[t.id]) from task_run t where t.id = at(pg_temp.noted('g'), 'c') and t.status = 'QUEUED';
select is(state(at(pg_temp.noted('g'), 'c')), 'FAILED config', 'and FAILED where that finds nothing');
select is(pg_temp.sent(at(pg_temp.noted('g'), 'c')), null, 'not sent');
select is(tap.history(at(pg_temp.noted('g'), 'c')), '- > QUEUED, QUEUED > FAILED', 'never DISPATCHED');

-- many in one call, some templated, some not, some wrong
select pg_temp.template('root', '{}');
select given_graph('fan', 'root -> [f1, f2, f3, f4, f5]');
select pg_temp.template('f1', '{"n": "{{ upstream.root.result.n }}"}'), pg_temp.template('f3', '{"n": "{{ upstream.root.result.m }}"}'), pg_temp.template('f4', '{"n": "{{ run.run_key }}-{{ task.name }}"}');
select pg_temp.note('bridge', given_topic());
select pg_temp.note('fan', launch_graph('fan', run_key => 'k1'));
select pg_temp.note('fun', launch_graph('fan', run_key => 'k2'));
select feed(pg_temp.noted('bridge'), format('{"task_run_id": %s, "status": "SUCCESS", "result": {"n": 1}}', at(pg_temp.noted('fan'), 'root'))::jsonb, format('{"task_run_id": %s, "status": "SUCCESS", "result": {"n": 2, "m": 3}}', at(pg_temp.noted('fun'), 'root'))::jsonb);
select is(picture(pg_temp.noted('fan')), 'RUNNING | f1 DISPATCHED | f2 DISPATCHED | f3 FAILED | f4 DISPATCHED | f5 DISPATCHED | root SUCCESS', 'one of five finds nothing');
select is(picture(pg_temp.noted('fun')), 'RUNNING | f1 DISPATCHED | f2 DISPATCHED | f3 DISPATCHED | f4 DISPATCHED | f5 DISPATCHED | root SUCCESS', 'in the other run it does');
select is(pg_temp.sent(at(pg_temp.noted('fan'), 'f1')), '{"n": 1}', 'each reads its own run');
select is(pg_temp.sent(at(pg_temp.noted('fun'), 'f1')), '{"n": 2}', 'its own too');
select is(pg_temp.sent(at(pg_temp.noted('fun'), 'f3')), '{"n": 3}', 'and what the other had not');
select is(pg_temp.sent(at(pg_temp.noted('fan'), 'f4')), '{"n": "k1-f4"}', 'of its key');
select is(pg_temp.sent(at(pg_temp.noted('fan'), 'f2')), '{}', 'a task without placeholders beside them');

-- too much
select pg_temp.template('f2', jsonb_build_object('x', (select array_agg(text '{{ upstream.root.result }}') from generate_series(1, 200))));
select pg_temp.note('fan', launch_graph('fan'));
select tell(at(pg_temp.noted('fan'), 'root'), 'SUCCESS', result => jsonb_build_object('n', repeat('x', 200000)));
select is(state(at(pg_temp.noted('fan'), 'f2')), 'FAILED config', 'a config over 1 MiB');
select alike((select detail from task_run where id = at(pg_temp.noted('fan'), 'f2')), 'task f2: the config has 4% bytes; the limit of a dispatch is 1 MiB', 'says so');
-- DISPATCHED by plain SQL: rendered then
select pg_temp.template('root', '{"k": "{{ run.run_key }}"}');
insert into graph_pause (graph_id, paused_at) values (graph_id('fan'), _now());
select pg_temp.note('fan', launch_graph('fan', run_key => 'k9')), pg_temp.note('fun', launch_graph('fan'));
update graph_pause set resumed_at = paused_at where resumed_at is null;
update task_run set status = 'DISPATCHED' where id = at(pg_temp.noted('fan'), 'root');
select is(pg_temp.sent(at(pg_temp.noted('fan'), 'root')), '{"k": "k9"}', 'DISPATCHED by plain SQL');
select pg_temp.template('root', '{"k": "{{ params.k }}"}');
update task_run set status = 'DISPATCHED' where id = at(pg_temp.noted('fun'), 'root');
select is(picture(pg_temp.noted('fun')), 'FAILED | f1 SKIPPED | f2 SKIPPED | f3 SKIPPED | f4 SKIPPED | f5 SKIPPED | root FAILED', 'and FAILED where nothing is found, with all that follows');
select is(state(at(pg_temp.noted('fun'), 'root')), 'FAILED config', 'reason config');
-- a retry is rendered again, with its attempt, under the template as it is then
select pg_temp.template('a', '{"attempt": "{{ attempt }}", "v": 1}');
update task set max_attempts = 2, retry_delay = '0' where name = 'a';
select pg_temp.note('g', launch_graph('g'));
select is(pg_temp.sent(at(pg_temp.noted('g'), 'a')), '{"v": 1, "attempt": 1}', 'the first attempt');
select finish(pg_temp.noted('g'), 'a', 'FAILED');
select pg_temp.template('a', '{"attempt": "{{ attempt }}", "v": 2}');
select _dispatch(array[at(pg_temp.noted('g'), 'a')]);
select is(pg_temp.sent(at(pg_temp.noted('g'), 'a')), '{"v": 2, "attempt": 2}', 'the second is rendered again');
select is((select attempt from task_run where id = at(pg_temp.noted('g'), 'a')), 2, 'it is another task run');
