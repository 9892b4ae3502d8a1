-- SPEC 4.2: a task that succeeds in a run of one graph and is a root of another starts or joins a run of the other, sharing the task run.
-- Only SUCCESS crosses; the run key crosses, params do not.
select plan(27);

select given_acceptance(), given_graph('line', '6 -> 7 -> [8, 9]'), given_graph('integration', '4 -> 6');
select say('1', 'SUCCESS', 'k');
select is(pictures('line'), null, 'nothing of the other graph yet');
select finish(run('integration'), '4');
select is(pictures('integration'), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 SUCCESS | 5 awaited | 6 DISPATCHED', '4 starts 6');
select is(pictures('line'), null, '6 in flight has not crossed yet');
select finish(run('integration'), '6');
select is(pictures('line'), 'RUNNING | 6 SUCCESS | 7 DISPATCHED | 8 - | 9 -', '6 crosses, and 7 starts in the second');
select is(at(run('line'), '6'), at(run('integration'), '6'), 'one task run, in runs of both');
select is((select array_agg(graph_run_id order by graph_run_id) from graph_run_task_run where task_run_id = at(run('line'), '6')), array[run('integration'), run('line')], 'linked to both');
select is((select (run_key, opened_by, params)::text from graph_run where id = run('line')), '(k,event,{})', 'the run key crosses');
select is((select count(*)::int from task_run where task_id = task_id('7')), 1, '7 starts once');
select finish_all('line');
select is(pictures('line'), 'SUCCESS | 6 SUCCESS | 7 SUCCESS | 8 SUCCESS | 9 SUCCESS', 'to the end');
select is((select status from graph_run where id = run('integration')), 'RUNNING', 'the first waits for 5 still');

-- launched by hand with params
select launch_graph('line', '{"p": 1}', 'other');
select is((select params from graph_run where id = run('line', 2)), '{"p": 1}', 'params of the launched run');
select given_graph('third', '9 -> x');
select finish(run('line', 2), '6'); select finish(run('line', 2), '7'); select finish(run('line', 2), '9');
select is(pictures('third'), 'RUNNING | 9 SUCCESS | x DISPATCHED', 'a task of a launched run crosses too');
select is((select (run_key, params)::text from graph_run where id = run('third')), '(other,{})', 'with the key, without the params');

-- FAILED, SKIPPED and CANCELLED do not cross
select launch_graph('line', run_key => 'f'), launch_graph('line', run_key => 's'), launch_graph('line', run_key => 'c');
select finish(run('line', n), '6') from generate_series(3, 5) n;
select finish(run('line', n), '7') from generate_series(3, 5) n;
select finish(run('line', 3), '9', 'FAILED'), finish(run('line', 4), '9', 'SKIPPED');
update task_run set status = 'CANCELLED' where id = at(run('line', 5), '9');
select is((select count(*)::int from graph_run where graph_id = graph_id('third')), 1, 'FAILED, SKIPPED, CANCELLED do not cross');
select launch_graph('line', run_key => 'x');
select finish(run('line', 6), '6', 'FAILED');
select is(state(at(run('line', 6), '9')), 'SKIPPED upstream', 'nor what was skipped by the engine');
select is((select count(*)::int from graph_run where graph_id = graph_id('third')), 1, 'it opens nothing');

-- crossing joins a run that awaits it
select given_task('y', 'nifi'), given_graph('fourth', '[8, y] -> v');
select say('y', 'SUCCESS', 'm');
select is(pictures('fourth'), 'RUNNING | 8 awaited | v - | y SUCCESS', 'a run awaits 8');
select launch_graph('line', run_key => 'm'), launch_graph('line', run_key => 'n');
select finish(run('line', n), '6') from generate_series(7, 8) n;
select finish(run('line', n), '7') from generate_series(7, 8) n;
select finish(run('line', 8), '8');
select is(pictures('fourth'), E'RUNNING | 8 awaited | v - | y SUCCESS\nRUNNING | 8 SUCCESS | v - | y awaited', 'another key opens its own');
select finish(run('line', 7), '8');
select is(picture(run('fourth', 1)), 'RUNNING | 8 SUCCESS | v DISPATCHED | y SUCCESS', 'the same key joins');
select is(at(run('fourth', 1), '8'), at(run('line', 7), '8'), 'sharing the task run');
select is((select count(*)::int from graph_run where graph_id = graph_id('fourth')), 2, 'two runs');

-- by a DBA''s UPDATE as by an event
select launch_graph('line', run_key => 'u');
update task_run set status = 'SUCCESS' where id = at(run('line', 9), '6');
update task_run set status = 'SUCCESS' where id = at(run('line', 9), '7');
update task_run set status = 'SUCCESS' where id = at(run('line', 9), '9');
select is(picture(run('third', 2)), 'RUNNING | 9 SUCCESS | x DISPATCHED', 'UPDATE crosses as well');
-- a task that succeeds in an ended run does not start anything there, but crosses
select is((select count(*)::int from graph_run_task_run where task_run_id = at(run('third', 2), '9')), 2, 'shared by two runs');
-- into a graph where it is a root of one version only
select is(letters(), 'none', 'no dead letter');
select is((select count(*)::int from task_run_event e where e.graph_run_id = run('third', 2) and e.task_run_id is null), 1, 'the new run is in the history');
select is((select count(*)::int from dispatch d join task_run t on t.id = d.task_run_id where t.task_id = task_id('x')), 2, 'a dispatch of x each');
-- two graphs at once
select given_graph('fifth', '9 -> w');
select launch_graph('line', run_key => 'two');
select finish(run('line', 10), '6'); select finish(run('line', 10), '7'); select finish(run('line', 10), '9');
select is((select array_agg(g.name order by g.name) from graph_run_task_run l join graph_run r on r.id = l.graph_run_id join graph g on g.id = r.graph_id where l.task_run_id = at(run('line', 10), '9')),
          array['fifth', 'line', 'third'], 'a task crosses into every graph in which it is a root');
