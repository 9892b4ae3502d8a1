-- SPEC 4.4: rerun from given tasks; a root that only reports is awaited; versions that changed; partial runs; graphs that meet.
select plan(41);

select given_acceptance(), given_graph('line', '6 -> 7 -> [8, 9]'), given_graph('integration', '4 -> 6');
select say('1', 'SUCCESS', 'k'); select say('5', 'SUCCESS', 'k');
select finish(run('integration'), n) from unnest(array['2', '3', '4']) n; select finish(run('integration'), '6');
select finish(run('line'), '7'); select finish(run('line'), '8');
select is(pictures('integration') || E'\n' || pictures('line'), E'SUCCESS | 1 SUCCESS | 2 SUCCESS | 3 SUCCESS | 4 SUCCESS | 5 SUCCESS | 6 SUCCESS\nRUNNING | 6 SUCCESS | 7 SUCCESS | 8 SUCCESS | 9 DISPATCHED', 'before');
-- from a task that succeeded, where graphs meet
select is(rerun(run('integration'), array['4']), run('integration', 2), 'from 4');
select is(picture(run('integration', 2)), 'RUNNING | 1 SUCCESS | 2 SUCCESS | 3 SUCCESS | 4 DISPATCHED | 5 SUCCESS | 6 -', '4 and 6 anew');
select is((select count(*)::int from graph_run where graph_id = graph_id('line')), 1, 'what is shared crosses no second time');
select finish(run('integration', 2), '4'); select finish(run('integration', 2), '6');
select is((select replaces_id from graph_run where id = run('line', 2)), run('line', 1), 'the other graph''s new run takes over the run that 6 stood in');
select is(pictures('line'), E'RUNNING | 6 SUCCESS | 7 SUCCESS | 8 SUCCESS | 9 DISPATCHED\nRUNNING | 6 SUCCESS | 7 DISPATCHED | 8 - | 9 -', 'and does all anew');
-- a task run in both graphs, redone in one: from 6 in `line`
select finish_all('line');
select rerun(run('line', 2), array['6']);
select is(picture(run('line', 3)), 'RUNNING | 6 DISPATCHED | 7 - | 8 - | 9 -', 'from 6 in the line');
select finish(run('line', 3), '6');
select is((select count(*)::int from graph_run where graph_id = graph_id('integration')), 2, '6 is no root of the other: nothing there');
-- an event's repeat is compared with the run an event opened, not with the rerun
select say('1', 'SUCCESS', 'k');
select is((select replaces_id from graph_run where id = run('integration', 3)), run('integration', 1), 'a correction takes over the run an event opened');
-- roots that only report
select rerun(run('integration', 2), array['1', '2']);
select is(picture(run('integration', 4)), 'RUNNING | 1 awaited | 2 - | 3 - | 4 - | 5 SUCCESS | 6 -', '1 is awaited; 2, which is downstream of it, in its turn');
select is(say('1', 'SUCCESS', 'k'), at(run('integration', 4), '1'), 'the next report joins');
select is(picture(run('integration', 4)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS | 6 -', 'and all follows');

-- a task whose predecessor failed, or has not ended: given tasks start at once
select given_graph('g', 'a -> b -> c', 'd -> c');
select launch_graph('g');
select rerun(run('g'), array['b']);
select is(picture(run('g', 2)), 'RUNNING | a DISPATCHED | b DISPATCHED | c - | d DISPATCHED', 'b starts while a is in flight');
select is(picture(run('g', 1)), 'RUNNING | a DISPATCHED | b SKIPPED | c SKIPPED | d DISPATCHED', 'the old one will not start it');
select finish(run('g', 2), 'a');
select is((select count(*)::int from task_run where task_id = task_id('b') and status <> 'SKIPPED'), 1, 'a''s end starts no second b');
select finish(run('g', 2), 'd', 'FAILED');
select is(picture(run('g', 2)), 'RUNNING | a SUCCESS | b DISPATCHED | c SKIPPED | d FAILED', 'd failed, for both');
select rerun(run('g', 2), array['c']);
select is(picture(run('g', 3)), 'RUNNING | a SUCCESS | b DISPATCHED | c DISPATCHED | d FAILED', 'c though d failed');
select finish(run('g', 3), 'c'); select finish(run('g', 3), 'b');
select is(picture(run('g', 3)), 'FAILED | a SUCCESS | b SUCCESS | c SUCCESS | d FAILED', 'd stays as it was, so the run is FAILED');

-- in flight and redone: it ends in the old run
select given_graph('h', 'e -> f');
select launch_graph('h'); select finish(run('h'), 'e'); select rerun(run('h'), array['e']);
select is(pictures('h'), E'RUNNING | e SUCCESS | f DISPATCHED\nRUNNING | e DISPATCHED | f -', 'f in flight stays with the old run');
select finish(run('h', 2), 'e'); select finish(run('h', 1), 'f', 'FAILED');
select is(pictures('h'), E'FAILED | e SUCCESS | f FAILED\nRUNNING | e SUCCESS | f DISPATCHED', 'each has its own');
select is((select reason from graph_run where id = run('h', 1)), null, 'nothing of the old one was skipped: no reason');

-- the current version
select given_graph('v', 'p -> q -> s');
select launch_graph('v'); select finish(run('v'), 'p'); select finish(run('v'), 'q');
select given_graph('v', 'q -> t', 'n -> s'), given_task('w', 'nifi'), given_graph('v', 'w -> s');
delete from graph_chain where chain_id = chain_id('p', 'q'); delete from chain where id = chain_id('p', 'q');
select rerun(run('v'), array['s']);
select is(picture(run('v', 2)), 'RUNNING | n DISPATCHED | q SUCCESS | s DISPATCHED | t DISPATCHED | w awaited', 'new tasks are done, a new root starts or is awaited; p is no more');
select is(picture(run('v', 1)), 'RUNNING | p SUCCESS | q SUCCESS | s DISPATCHED', 'the old one as its version says');
select refuses(format('select rerun(%s, %L)', run('v', 1), '{p}'), 'OR404', 'task "p" is not in graph "v"', 'a task that is not in the graph any more');
select launch_graph('v'); select finish(run('v', 3), 'q', 'FAILED');
delete from graph_chain where chain_id in (chain_id('q', 's'), chain_id('q', 't'));
select refuses(format('select rerun(%s)', run('v', 3)), 'OR308', 'task "q"', 'all that failed is no more');

-- partial runs stay partial
select given_graph('x', 'x1 -> x2 -> x3', 'y -> x3');
select launch_graph('x'); select finish(run('x'), 'y');
select launch_tasks('x', array['x2'], '{"a": 2}', 'k');
select finish(run('x', 2), 'x2', 'FAILED');
select launch_graph('x'); select finish(run('x', 3), 'y');
select rerun(run('x', 2));
select is(picture(run('x', 4)), 'RUNNING | x2 DISPATCHED | x3 -', 'a partial run again, from the same tasks');
select is((select task_run_id from stand_in where graph_run_id = run('x', 4)), at(run('x', 1), 'y'), 'with the success that counted for the old one');
select is((select (params, run_key)::text from graph_run where id = run('x', 4)), '("{""a"": 2}",k)', 'params and key');
select refuses(format('select rerun(%s, %L)', run('x', 4), '{x1}'), 'OR404', 'task "x1" is not in the part of graph "x"', 'what is outside is not in it');
select given_graph('x', 'x3 -> x4', 'z -> x4');
select refuses(format('select rerun(%s)', run('x', 2)), 'OR403', 'task "z" outside', 'under the current version z is needed, and never succeeded');
delete from graph_chain where chain_id = chain_id('z', 'x4');
select is(picture(rerun(run('x', 2))), 'RUNNING | x2 DISPATCHED | x3 - | x4 -', 'under the current version');
delete from graph_chain where chain_id in (chain_id('x1', 'x2'), chain_id('x2', 'x3'));
select refuses(format('select rerun(%s)', run('x', 2)), 'OR404', 'graph "x" no longer has the tasks', 'nothing is left of it');
delete from graph_chain where graph_id = graph_id('x');
select refuses(format('select rerun(%s)', run('x', 2)), 'OR402', 'graph "x" has no tasks', 'an empty graph');

-- a run from one chain
select given_graph('o', 'o1 -> o2 -> o3', 'o1 -> o4');
select launch_chain(chain_id('o1', 'o2'));
select finish(run('o'), 'o1'); select finish(run('o'), 'o2', 'FAILED');
select is(picture(rerun(run('o'))), 'RUNNING | o1 SUCCESS | o2 DISPATCHED | o3 -', 'without the previous one''s other successors');
select is(picture(rerun(run('o'), array['o1', 'o3'])), 'RUNNING | o1 DISPATCHED | o2 - | o3 -', 'from its first; o3 in its turn');

select refuses(format('select rerun(%s, %L)', run('g', 1), '{nobody}'), 'OR401', 'task "nobody" does not exist', 'an unknown task');
select refuses(format('select rerun(%s, %L)', run('g', 1), '{6}'), 'OR404', 'task "6" is not in graph "g"', 'a task of another graph');
select refuses(format('select rerun(%s, %L)', run('g', 1), '{NULL}'), 'OR401', 'task null', 'no name');

-- QUEUED is not started: what the new run does anew is skipped in the old one, what it shares stays
select given_graph('w2', 'w3 -> w4', 'w5 -> w6');
set local session_replication_role = replica;
insert into graph_pause (graph_id, paused_at) values (graph_id('w2'), now());
set local session_replication_role = origin;
select launch_graph('w2');
select is(picture(run('w2')), 'RUNNING | w3 QUEUED | w4 - | w5 QUEUED | w6 -', 'held');
select rerun(run('w2'), array['w3']);
select is(pictures('w2'), E'RUNNING | w3 SKIPPED | w4 SKIPPED | w5 QUEUED | w6 SKIPPED\nRUNNING | w3 QUEUED | w4 - | w5 QUEUED | w6 -', 'w3 is held once, w5 for both');
select is(state(at(run('w2', 1), 'w3')), 'SKIPPED superseded', 'superseded');
