-- SPEC 4.7: upstream.<task>.result of any ancestor in the run's version, or the run that stands in for it. An unknown ancestor is refused
-- when something is launched by hand, and listed by check_graph.
select plan(38);
set local client_min_messages = warning;
create function pg_temp.template(task text, template jsonb) returns void language sql as $$
    update orchestration.task set config_template = template.template where name = template.task
$$;
create function pg_temp.note(name text, id bigint) returns text language sql as $$ select set_config('tap.' || name, id::text, true) $$;
create function pg_temp.noted(name text) returns bigint language sql as $$ select current_setting('tap.' || name)::bigint $$;
create function pg_temp.sent(graph_run bigint, task text) returns jsonb language sql as $$
    select d.value::jsonb -> 'config' from orchestration.dispatch d where d.task_run_id = tap.at(sent.graph_run, sent.task)
$$;
create function pg_temp.checked(graph text) returns text language sql as $$
    select string_agg(concat_ws(': ', c.task, c.problem), E'\n') from orchestration.check_graph(checked.graph) c
$$;

-- refused at launch
select given_graph('g', 'a -> b -> c -> d', 'a -> e'), given_graph('other', 'x -> y');
select is(pg_temp.checked('g'), null, 'nothing is wrong');
select pg_temp.template('c', '{"n": ["{{ upstream.a.result.n }}", "{{ upstream.e.result.n }}"]}');
select refuses('select launch_graph(''g'')', 'OR105', 'task "c" reads the result of task "e" at /n/1, which does not come before it in graph "g"', 'a task beside it');
select refuses('insert into graph_run (graph_id) values (tap.graph_id(''g''))', 'OR105', 'task "c"', 'by plain SQL likewise');
select refuses('select launch_tasks(''g'', array[''b''])', 'OR105', 'task "c"', 'launch_tasks likewise');
select refuses(format('select launch_chain(%s)', chain_id('b', 'c')), 'OR105', 'task "c"', 'launch_chain likewise');
select isnt(launch_chain(chain_id('a', 'e')), null, 'a part without it is launched');
select is(pg_temp.checked('g'), 'c: its config template reads the result of task e at /n/1, which does not come before it in this graph', 'check_graph names it');
select pg_temp.template('c', '{"n": "{{ upstream.d.result.n }}"}');
select refuses('select launch_graph(''g'')', 'OR105', 'task "d"', 'a task after it');
select pg_temp.template('c', '{"n": "{{ upstream.c.result.n }}"}');
select refuses('select launch_graph(''g'')', 'OR105', 'task "c"', 'itself');
select pg_temp.template('c', '{"n": "{{ upstream.x.result.n }}"}');
select refuses('select launch_graph(''g'')', 'OR105', 'task "x" at /n, which does not come before', 'a task of another graph');
select pg_temp.template('c', '{"n": "{{ upstream.nobody.result.n }}"}');
select refuses('select launch_graph(''g'')', 'OR105', 'task "nobody" at /n, which does not exist', 'no task');
select is(pg_temp.checked('g'), 'c: its config template reads the result of task nobody at /n, which does not exist', 'check_graph says so');
select pg_temp.template('c', '{"n": "{{ upstream.a.result.n }}"}');
select pg_temp.note('g', launch_graph('g'));
select pg_temp.template('d', '{"n": "{{ upstream.e.result.n }}"}');
select tell(at(pg_temp.noted('g'), 'a'), 'SUCCESS', result => '{"n": 1}');
select finish(pg_temp.noted('g'), 'b', 'FAILED');
select refuses(format('select rerun(%s)', pg_temp.noted('g')), 'OR105', 'task "d" reads', 'a rerun that would do it again');
select is(task_of(at(rerun(pg_temp.noted('g'), array['e']), 'e')), 'e', 'a rerun that would not');
select pg_temp.template('d', '{}');
-- removed from the graph
delete from graph_chain where chain_id = chain_id('a', 'b');
select refuses('select launch_graph(''g'')', 'OR105', 'task "a"', 'an ancestor that is one no more');
insert into graph_chain (graph_id, chain_id) values (graph_id('g'), chain_id('a', 'b'));

-- a far one among many
select given_graph('deep', 't0 -> t1 -> t2 -> t3 -> t4 -> t5 -> t6 -> t7 -> t8 -> t9', 't0 -> u1 -> u2 -> t9', 'u1 -> v1');
select pg_temp.template('t9', '{"a": "{{ upstream.t0.result.n }}", "b": "{{ upstream.u1.result.n }}", "c": "{{ upstream.t8.result.n }}"}');
select isnt(launch_graph('deep'), null, 'far and near ancestors');
select is((select string_agg(format('%s %s', k.task_name, f.is_ancestor), ', ' order by k.task_name) from graph_version_reference f join task_card k on k.task_id = f.ancestor_id
           where f.version_id = (select version_id from graph_head where graph_id = graph_id('deep'))), 't0 t, u1 t', 'the far ones are known to the version');
select pg_temp.template('t9', '{"a": "{{ upstream.v1.result.n }}"}');
select refuses('select launch_graph(''deep'')', 'OR105', 'task "v1"', 'what is not');
select is((select string_agg(format('%s %s', k.task_name, f.is_ancestor), ', ' order by k.task_name) from graph_version_reference f join task_card k on k.task_id = f.ancestor_id
           where f.version_id = (select version_id from graph_head where graph_id = graph_id('deep'))), 't0 t, u1 t', 'the refused launch compiled nothing');
select is((select bool_and(_is_ancestor(h.version_id, task_id(x.a), task_id(x.b)) = x.yes) from graph_head h, (values ('t9', 't0', true), ('t9', 'v1', false), ('v1', 'u1', true), ('v1', 't1', false), ('t0', 't9', false)) x(a, b, yes)
           where h.graph_id = graph_id('deep')), true, 'what is not known is walked');

-- the run that stands in: partial runs
select is(pg_temp.checked('g'), null, 'g is well again');
select pg_temp.template('a', '{}'), pg_temp.template('d', '{"b": "{{ upstream.b.result.n }}", "a": "{{ upstream.a.result.n }}"}');
select given_graph('p', 'pa -> pb -> pc -> pd');
select pg_temp.template('pd', '{"b": "{{ upstream.pb.result.n }}", "a": "{{ upstream.pa.result.n }}"}');
select refuses('select launch_tasks(''p'', array[''pc''])', 'OR403', '"pa", "pb"', 'what is read outside a partial run never succeeded');
select pg_temp.note('p', launch_graph('p', run_key => 'k1'));
select pg_temp.note('k1', pg_temp.noted('p'));
select tell(at(pg_temp.noted('p'), 'pa'), 'SUCCESS', result => '{"n": 11}'), null;
select tell(at(pg_temp.noted('p'), 'pb'), 'SUCCESS', result => '{"n": 12}'), null;
select pg_temp.note('p', launch_graph('p', run_key => 'k2'));
select tell(at(pg_temp.noted('p'), 'pa'), 'SUCCESS', result => '{"n": 21}'), null;
select tell(at(pg_temp.noted('p'), 'pb'), 'SUCCESS', result => '{"n": 22}'), null;
select pg_temp.note('q', launch_tasks('p', array['pc'], run_key => 'k1'));
select is((select string_agg(k.task_name, ', ' order by k.task_name) from stand_in s join task_card k on k.task_id = s.task_id where s.graph_run_id = pg_temp.noted('q')), 'pa, pb', 'what is read outside is recorded at launch');
select tell(at(pg_temp.noted('p'), 'pc'), 'SUCCESS'), finish(pg_temp.noted('q'), 'pc');
select is(pg_temp.sent(pg_temp.noted('q'), 'pd'), '{"a": 11, "b": 12}', 'the latest success of the same key');
select is(pg_temp.sent(pg_temp.noted('p'), 'pd'), '{"a": 21, "b": 22}', 'while a whole run reads its own');
select pg_temp.note('q', launch_tasks('p', array['pd'], run_key => 'k3'));
select is(pg_temp.sent(pg_temp.noted('q'), 'pd'), '{"a": 21, "b": 22}', 'of no such key: the latest; a given task reads what leads to it');
select finish(pg_temp.noted('q'), 'pd', 'FAILED');
select pg_temp.note('r', launch_graph('p', run_key => 'k3'));
select tell(at(pg_temp.noted('r'), 'pa'), 'SUCCESS', result => '{"n": 31}'), null;
select is(pg_temp.sent(rerun(pg_temp.noted('q')), 'pd'), '{"a": 21, "b": 22}', 'a rerun reads what the run before it read');
-- both given: the later one does not wait, and reads the success before
select pg_temp.note('q', launch_tasks('p', array['pb', 'pd'], run_key => 'k2'));
select is(pg_temp.sent(pg_temp.noted('q'), 'pd'), '{"a": 21, "b": 22}', 'of two given tasks the later reads what was there before');
-- a partial run opened by an event
select finish(pg_temp.noted('k1'), 'pc');
select pg_temp.note('e', say('pc', 'SUCCESS', 'k4', 'ext-1'));
select is(pg_temp.sent((select graph_run_id from graph_run_task_run where task_run_id = pg_temp.noted('e')), 'pd'), '{"a": 31, "b": 22}', 'opened by an event: likewise');
select is((select count(*)::int from stand_in where graph_run_id = (select graph_run_id from graph_run_task_run where task_run_id = pg_temp.noted('e'))), 2, 'and recorded');
-- a chain in no graph
select given_task('l1'), given_task('l2', template => '{"n": "{{ upstream.l1.result.n }}", "g": "{{ graph.name }}"}');
with c as (insert into chain (previous_task_id, next_task_id) values (task_id('l1'), task_id('l2')) returning id) select pg_temp.note('c', id) from c;
select pg_temp.note('l', launch_chain(pg_temp.noted('c')));
select tell(at(pg_temp.noted('l'), 'l1'), 'SUCCESS', result => '{"n": 5}');
select is(pg_temp.sent(pg_temp.noted('l'), 'l2'), '{"n": 5, "g": null}', 'a chain in no graph: its previous task');
select pg_temp.template('l2', '{"n": "{{ upstream.a.result.n }}"}');
select refuses(format('select launch_chain(%s)', pg_temp.noted('c')), 'OR105', 'task "a".*in its chain', 'and no other');

-- the rest of check_graph
select given_task('n1', 'nifi'), given_graph('checks', 'n1 -> m1 -> m2');
select pg_temp.template('m2', '{"t": "{{ params.table }}"}');
select is(pg_temp.checked('checks'), 'n1: its service only reports: a launch waits for its event' || E'\nm2: its config template reads {{ params.table }} at /t, and runs opened by events have no params', 'what will surprise');
update task set archived = true where name = 'm2';
select alike(pg_temp.checked('checks'), '%m2: it is archived: chain m1 -> m2 is left out%', 'archived tasks');
insert into graph (name) values ('empty');
select is(pg_temp.checked('empty'), 'the graph has no tasks', 'an empty graph');
update graph set archived = true where name = 'empty';
select alike(pg_temp.checked('empty'), 'the graph is archived%', 'an archived one');
select refuses('select * from check_graph(''none'')', 'OR401', '"none"', 'an unknown one');
select is((select count(*)::int from check_graph('checks') where hint = '' or hint is null), 0, 'every problem has a hint');
