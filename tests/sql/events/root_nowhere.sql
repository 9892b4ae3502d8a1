-- SPEC 4.1 rule 6: a task that is nowhere a root opens a partial run (4.4) if it brings an unknown external_id, else it is a dead letter
-- `unexpected`. Predecessors of later tasks that lie outside count by their latest success (same key first); none ever: refused, naming it.
select plan(28);

select given_graph('g', 'a -> b -> c', 'x -> [c, y]'), given_task('r', 'nifi'), given_graph('line', 'r -> s -> [t, u]');
select is(say('s', 'SUCCESS', 'k'), null, 'without external_id');
select is(letters(), 'unexpected', 'it is unexpected');
select alike(letter_words(), '%task s %', 'the task is named');
select is(say('s', 'RUNNING', 'k'), null, 'RUNNING likewise');
select is(say('s', 'FAILED', 'k'), null, 'FAILED likewise');
select is(say('s', 'ACCEPTED', 'k', 'e0'), null, 'ACCEPTED of what nobody dispatched too, even with an id');
select is(letters(), 'unexpected, unexpected, unexpected, unexpected', 'all unexpected');
select is((select count(*)::int from task_run), 0, 'and nothing is recorded of them');

create temp table mine as select say('s', 'SUCCESS', 'k', 'e1') as id;
select is(task_of((select id from mine)), 's', 'an unknown external_id is work of its own');
select is(pictures('line'), 'RUNNING | s SUCCESS | t DISPATCHED | u DISPATCHED', 'and opens a partial run, from s downstream');
select is((select (run_key, opened_by)::text from graph_run where id = run('line')), '(k,partial)', 'of its key');
select finish_all('line');
select is(pictures('line'), 'SUCCESS | s SUCCESS | t SUCCESS | u SUCCESS', 'which ends as any run');
select is(say('s', 'SUCCESS', 'k', 'e1'), (select id from mine), 'the id is known now');
select is((select count(*)::int from graph_run where graph_id = graph_id('line')), 1, 'and opens no second one');
-- RUNNING first
select is(task_of(say('s', 'RUNNING', 'k', 'e2')), 's', 'RUNNING with an unknown id is recorded');
select is((select count(*)::int from graph_run where graph_id = graph_id('line')), 1, 'and joins nothing yet');
select say('s', 'FAILED', 'k', 'e2');
select is(picture(run('line', 2)), 'FAILED | s FAILED | t SKIPPED | u SKIPPED', 'its end opens the partial run');
-- a leaf
select say('u', 'SUCCESS', null, 'e3');
select is(picture(run('line', 3)), 'SUCCESS | u SUCCESS', 'a leaf is a partial run by itself');

-- a predecessor outside
select is(say('b', 'SUCCESS', 'k', 'e1'), null, 'c needs x, which never succeeded');
select matches(letters(), 'unexpected$', 'refused');
select alike(letter_words(), '%task x %', 'naming it');
select is(run('g'), null, 'no run is opened');
set local session_replication_role = replica;
insert into task_run (task_id, run_key, status, finished_at) values (task_id('x'), 'k', 'SUCCESS', now()), (task_id('x'), null, 'SUCCESS', now());
set local session_replication_role = origin;
create temp table x as select id, run_key from task_run where task_id = task_id('x');
select is(task_of(say('b', 'SUCCESS', 'k', 'e4')), 'b', 'once x has a success');
select is(picture(run('g')), 'RUNNING | b SUCCESS | c DISPATCHED', 'the partial run counts it');
select is((select task_run_id from stand_in where graph_run_id = run('g') and task_id = task_id('x')), (select id from x where run_key = 'k'), 'the latest of the same key, recorded');
select say('b', 'SUCCESS', 'other', 'e5');
select is((select task_run_id from stand_in where graph_run_id = run('g', 2) and task_id = task_id('x')), (select id from x where run_key is null), 'else the latest of any');
-- a partial run is not compared by policies
select say('a', 'SUCCESS', 'k');
select is((select replaces_id from graph_run where id = run('g', -1)), null, 'an event-opened run of the same key does not take a partial one over');
select is(picture(run('g', -1)), 'RUNNING | a SUCCESS | b DISPATCHED | c - | x awaited | y -', 'and is whole');
