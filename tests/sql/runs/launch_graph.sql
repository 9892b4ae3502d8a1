-- SPEC 4.4 and 6, launch_graph: dispatchable roots are dispatched, the others awaited; awaiting runs are served oldest first; bad arguments.
select plan(24);

select given_task('r', 'nifi'), given_graph('g', '[r, a] -> j', 'a -> b');
select is(picture(launch_graph('g', '{}', 'k')), 'RUNNING | a DISPATCHED | b - | j - | r awaited', 'a is dispatched, r awaited');
select is((select (opened_by, run_key, params)::text from graph_run where id = run('g')), '(launch,k,{})', 'a launched run');
select launch_graph('g', run_key => 'k');
select is(pictures('g'), E'RUNNING | a DISPATCHED | b - | j - | r awaited\nRUNNING | a DISPATCHED | b - | j - | r awaited', 'a second one of the same key is not compared to the first');
select is(say('r', 'SUCCESS', 'k'), at(run('g', 1), 'r'), 'the oldest is served first');
select is(at(run('g', 2), 'r'), null, 'the other waits');
select say('r', 'SUCCESS', 'other');
select is(at(run('g', 2), 'r'), null, 'another key is not for it');
select is(picture(run('g', 3)), 'RUNNING | a awaited | b - | j - | r SUCCESS', 'but opens its own run');
select is(say('r', 'SUCCESS', 'k'), at(run('g', 2), 'r'), 'the next of its key is');
select finish(run('g', n), 'a') from generate_series(1, 2) n;
select is(picture(run('g', 2)), 'RUNNING | a SUCCESS | b DISPATCHED | j DISPATCHED | r SUCCESS', 'and it goes on');
select is((select count(*)::int from graph_run where graph_id = graph_id('g')), 3, 'three runs in all');
-- an event-opened run that awaits comes before a launched one
select given_task('x', 'nifi'), given_task('y', 'nifi'), given_graph('h', '[x, y] -> z');
select launch_graph('h');
select is(say('x', 'SUCCESS'), at(run('h', 1), 'x'), 'a launched run awaits both');
select say('x', 'SUCCESS');
select is(picture(run('h', 2)), 'RUNNING | x SUCCESS | y awaited | z -', 'the next opens a run by event');
select is(say('y', 'SUCCESS'), at(run('h', 2), 'y'), 'the event-opened run that awaits y is first');
select is(say('y', 'SUCCESS'), at(run('h', 1), 'y'), 'then the launched one');

select refuses($$ select launch_graph('nothing') $$, 'OR401', 'graph "nothing"', 'an unknown graph');
select refuses($$ select launch_graph(null) $$, 'OR401', 'graph null', 'no graph');
select refuses($$ select launch_graph('g', '[]') $$, 'OR108', 'params of a run of graph "g"', 'params that are no object');
select refuses($$ select launch_graph('g', '{}', '') $$, 'OR101', 'run key ""', 'an empty run key');
select refuses($$ select launch_graph('g', '{}', E'a\nb') $$, 'OR101', 'run key', 'a control character');
select refuses($$ select launch_graph('g', '{}', repeat('k', 251)) $$, 'OR101', 'run key', '251 characters');
insert into graph (name) values ('empty');
select refuses($$ select launch_graph('empty') $$, 'OR402', 'graph "empty"', 'a graph without tasks');
update graph set archived = true where name = 'g';
select refuses($$ select launch_graph('g') $$, 'OR402', 'graph "g" is archived', 'an archived graph');
select lives_ok($$ select launch_graph(graph => 'h', params => '{"a": 1}', run_key => 'n') $$, 'arguments by name');
select is((select (params, run_key)::text from graph_run where id = run('h', 3)), '("{""a"": 1}",n)', 'are kept');
