-- SPEC 4.4, launch_chain: its previous task (its next where the previous cannot be dispatched), its next, and what is downstream of that, not the
-- previous one's other successors; in no graph: just that chain (graph_run.graph_id null).
select plan(40);

create function pg_temp.newest() returns bigint language sql as $$ select max(id) from graph_run $$;
select given_task('r', 'nifi'), given_graph('g', '[r, o] -> a', 'a -> b -> c -> d', 'a -> x -> y', 'b -> e', 'a -> d');
select is(launch_chain(chain_id => chain_id('a', 'b'), params => '{"n": 1}', run_key => 'k'), pg_temp.newest(), 'answers the graph run');
select is(picture(pg_temp.newest()), 'RUNNING | a DISPATCHED | b - | c - | d - | e -', 'a, b and what is downstream of b; not x');
select is((select (graph_id = graph_id('g'), run_key, params, opened_by)::text from graph_run where id = pg_temp.newest()), '(t,k,"{""n"": 1}",launch)', 'key and params');
select matches((select detail from task_run_event where graph_run_id = pg_temp.newest() and task_run_id is null), 'from chain [0-9]+: a -> b', 'which chain is in the history');
select finish(pg_temp.newest(), 'a');
select is(picture(pg_temp.newest()), 'RUNNING | a SUCCESS | b DISPATCHED | c - | d - | e -', 'b after a; d waits for c too');
select finish(pg_temp.newest(), n) from unnest(array['b', 'c']) n;
select is(picture(pg_temp.newest()), 'RUNNING | a SUCCESS | b SUCCESS | c SUCCESS | d DISPATCHED | e DISPATCHED', 'd after a and c');
select finish(pg_temp.newest(), n) from unnest(array['d', 'e']) n;
select is((select status from graph_run where id = pg_temp.newest()), 'SUCCESS', 'it ends');
select is((select count(*)::int from graph_run), 1, 'nothing else was started');
-- launch_tasks from a is another shape
select is(picture(launch_tasks('g', array['a'])), 'RUNNING | a DISPATCHED | b - | c - | d - | e - | x - | y -', 'launch_tasks from a takes x too');
select is(picture(launch_chain(chain_id('a', 'b'))), 'RUNNING | a DISPATCHED | b - | c - | d - | e -', 'and the chain''s shape stays');
-- the previous one only reports
select launch_chain(chain_id('r', 'a'));
select is(picture(pg_temp.newest()), 'RUNNING | a DISPATCHED | b - | c - | d - | e - | x - | y -', 'r cannot be dispatched: from a');
-- what lies outside
select given_graph('h', 'p -> q -> s', 'p -> w -> s');
select refuses($$ select launch_chain(chain_id('p', 'q')) $$, 'OR403', 'graph "h" .*task "w" outside', 's needs w, the previous one''s other successor');
select launch_graph('h'); select finish(run('h'), 'p'); select finish(run('h'), 'w');
select launch_chain(chain_id('p', 'q'));
select is(picture(pg_temp.newest()), 'RUNNING | p DISPATCHED | q - | s -', 'it succeeded once');
select is((select task_run_id from stand_in where graph_run_id = pg_temp.newest()), at(run('h'), 'w'), 'which counts');
select finish(pg_temp.newest(), 'p'); select finish(pg_temp.newest(), 'q');
select is(picture(pg_temp.newest()), 'RUNNING | p SUCCESS | q SUCCESS | s DISPATCHED', 's starts');

-- in no graph
select given_task('m'), given_task('n'), given_task('l');
insert into chain (previous_task_id, next_task_id) values (task_id('m'), task_id('n')), (task_id('n'), task_id('l')), (task_id('r'), task_id('m'));
select launch_chain(chain_id('m', 'n'), run_key => 'k');
select is(picture(pg_temp.newest()), 'RUNNING | m DISPATCHED | n -', 'just that chain');
select is((select graph_id from graph_run where id = pg_temp.newest()), null, 'graph_id null');
select is((select d.value::jsonb -> 'graph' from dispatch d where d.task_run_id = at(pg_temp.newest(), 'm')), 'null', 'its dispatch says graph null');
select finish(pg_temp.newest(), 'm');
select is(picture(pg_temp.newest()), 'RUNNING | m SUCCESS | n DISPATCHED', 'n after m');
select finish(pg_temp.newest(), 'n');
select is(picture(pg_temp.newest()), 'SUCCESS | m SUCCESS | n SUCCESS', 'l is not started');
update task set config_template = '{"rows": "{{ upstream.r.result.rows }}"}' where name = 'm';
select say('r', 'SUCCESS', 'k', result => '{"rows": 7}');
select is(picture(launch_chain(chain_id('r', 'm'), run_key => 'k')), 'RUNNING | m DISPATCHED', 'r cannot be dispatched: only m');
select is((select config from task_run where id = at(pg_temp.newest(), 'm')), '{"rows": 7}', 'its template reads the latest success of r');
update task set config_template = '{}' where name = 'm';
select launch_chain(chain_id('m', 'n')), launch_chain(chain_id('m', 'n'));
select is((select count(*)::int from graph_version where graph_id is null and task_count = 2 and through_task_id = task_id('n')), 1, 'its shape is made once');
-- rerun, mark, cancel, skip of a run without a graph
select finish(pg_temp.newest(), 'm', 'FAILED');
select is(picture(pg_temp.newest()), 'FAILED | m FAILED | n SKIPPED', 'a failure skips');
select rerun(pg_temp.newest());
select is(picture(pg_temp.newest()), 'RUNNING | m DISPATCHED | n -', 'rerun');
select finish(pg_temp.newest(), 'm', 'FAILED');
select mark_task_run(at(pg_temp.newest(), 'm'), 'SUCCESS');
select is(picture(pg_temp.newest()), 'RUNNING | m SUCCESS | n DISPATCHED', 'mark');
select is((select (graph_id, replaces_id is not null)::text from graph_run where id = pg_temp.newest()), '(,t)', 'a take-over without graph');
select cancel_graph_run(pg_temp.newest());
select is(picture(pg_temp.newest()), 'CANCELLED | m SUCCESS | n CANCELLED', 'cancel');
select is(picture(rerun(pg_temp.newest())), 'RUNNING | m SUCCESS | n DISPATCHED', 'rerun of what was cancelled');
-- a success of it crosses
select given_graph('z', 'n -> zz');
select finish(pg_temp.newest(), 'n');
select is(pictures('z'), 'RUNNING | n SUCCESS | zz DISPATCHED', 'its success crosses into a graph in which the task is a root');
-- its shape outlives purge while runs use it, and not when none does
select cancel_graph_run(id) from graph_run where status = 'RUNNING';
select purge('1 year'), purge('1 year');
select is((select count(*)::int from graph_version where graph_id is null), 3, 'purge leaves a shape in use');
select clock('2100-01-01T00:00:00Z');
create temp table removed as select purge('1 day', 100000) as n from generate_series(1, 4);
select is((select count(*)::int from graph_version where graph_id is null), 0, 'and removes it with the last run');
select is((select count(*)::int from stand_in), 0, 'stand-ins leave with their runs');
select launch_chain(chain_id('m', 'n'));
select is(picture(pg_temp.newest()), 'RUNNING | m DISPATCHED | n -', 'it is made anew');

select refuses($$ select launch_chain(-1) $$, 'OR401', 'chain -1', 'an unknown chain');
select refuses($$ select launch_chain(null) $$, 'OR401', 'chain null', 'no chain');
select refuses($$ select launch_chain(chain_id('m', 'n'), '[]') $$, 'OR108', 'chain [0-9]+', 'params that are no object');
select refuses($$ select launch_chain(chain_id('m', 'n'), '{}', E'a\nb') $$, 'OR101', 'run key', 'a run key with a control character');
update task set archived = true where name = 'n';
select refuses($$ select launch_chain(chain_id('m', 'n')) $$, 'OR402', 'task "n" of chain [0-9]+ is archived', 'an archived task');
update graph set archived = true where name = 'g';
select refuses($$ select launch_chain(chain_id('a', 'b')) $$, 'OR402', 'graph "g" is archived', 'a chain of an archived graph');
