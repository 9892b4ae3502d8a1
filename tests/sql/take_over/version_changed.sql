-- SPEC 4.3, 4.5: a take-over under a version in which a shared task has predecessors that come later: they do not start it a second time.
select plan(7);

select given_task('r', 'nifi'), given_task('s', 'nifi'), given_graph('g', 'r -> a', 's -> b');
select say('r', 'SUCCESS', 'k'); select say('s', 'SUCCESS', 'k');
select is(picture(run('g', 1)), 'RUNNING | a DISPATCHED | b DISPATCHED | r SUCCESS | s SUCCESS', 'b is under way');
select given_task('x'), given_graph('g', 'a -> c');
insert into chain (previous_task_id, next_task_id) values (task_id('x'), task_id('b'));
insert into graph_chain (graph_id, chain_id) values (graph_id('g'), chain_id('x', 'b'));
select _compile(array[graph_id('g')]);
select say('r', 'SUCCESS', 'k');
select is(picture(run('g', 2)), 'RUNNING | a DISPATCHED | b DISPATCHED | c - | r SUCCESS | s SUCCESS | x awaited', 'b is shared; now x comes before it');
select is(at(run('g', 2), 'b'), at(run('g', 1), 'b'), 'the same b');
select say('r', 'SUCCESS', 'k');
select is(picture(run('g', 3)), 'RUNNING | a DISPATCHED | b DISPATCHED | c - | r SUCCESS | s SUCCESS | x awaited', 'and once more, under the same version as the second');
select say('x', 'SUCCESS', 'k');
select is(picture(run('g', 3)), 'RUNNING | a DISPATCHED | b DISPATCHED | c - | r SUCCESS | s SUCCESS | x SUCCESS', 'x joins and starts no second b');
select is((select count(*)::int from task_run where task_id = task_id('b')), 1, 'one b');
select finish_all('g');
select is((select status from graph_run where id = run('g', 3)), 'SUCCESS', 'it ends');
