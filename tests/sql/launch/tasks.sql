-- SPEC 4.4, launch_tasks: from given tasks, downstream only. Given tasks start unconditionally; predecessors of later tasks that lie outside count
-- by their latest success (same key first), recorded; none ever: refused, naming it.
select plan(40);

select given_graph('g', 'a -> b -> c -> d', 'x -> c', 'b -> e');
select refuses($$ select launch_tasks('g', array['b']) $$, 'OR403', 'graph "g" .*task "x" outside', 'x never succeeded');
select is((select count(*)::int from graph_run), 0, 'nothing half-done');
insert into task_run (task_id, status, run_key) select task_id('x'), 'RUNNING', k from unnest(array['k', null, 'z']) k;
update task_run set status = 'SUCCESS' where task_id = task_id('x') and run_key = 'k';
update task_run set status = 'SUCCESS' where task_id = task_id('x') and run_key is null;
update task_run set status = 'SUCCESS' where task_id = task_id('x') and run_key = 'z';
create function pg_temp.stands_in(graph_run bigint) returns text language sql as $$
    select string_agg(k.task_name || '=' || coalesce(t.run_key, '-'), ', ' order by k.task_name)
    from stand_in s join task_run t on t.id = s.task_run_id join task_card k on k.task_id = s.task_id where s.graph_run_id = $1
$$;
create function pg_temp.newest() returns bigint language sql as $$ select max(id) from graph_run $$;
select is(launch_tasks(graph => 'g', tasks => array['b'], params => '{"n": 1}', run_key => 'k'), pg_temp.newest(), 'answers the graph run');
select is(picture(pg_temp.newest()), 'RUNNING | b DISPATCHED | c - | d - | e -', 'b starts without a; a and x are not in it');
select is(pg_temp.stands_in(pg_temp.newest()), 'x=k', 'x counts by its success of the same key');
select is((select (r.opened_by, r.run_key, r.params, r.detail)::text from graph_run r where r.id = pg_temp.newest()), '(launch,k,"{""n"": 1}","partial, from task b")', 'key, params and words');
select is((select (e.new_status, e.source, e.db_user = session_user, e.reason, e.detail)::text from task_run_event e where e.graph_run_id = pg_temp.newest() and e.task_run_id is null),
          '(RUNNING,sql,t,launch,"partial, from task b")', 'who is in the history');
select finish(pg_temp.newest(), 'b');
select is(picture(pg_temp.newest()), 'RUNNING | b SUCCESS | c DISPATCHED | d - | e DISPATCHED', 'c does not wait for x');
select finish(pg_temp.newest(), n) from unnest(array['c', 'd', 'e']) n;
select is(picture(pg_temp.newest()), 'SUCCESS | b SUCCESS | c SUCCESS | d SUCCESS | e SUCCESS', 'to the end');
select is(pg_temp.stands_in(launch_tasks('g', array['b'])), 'x=-', 'without key: the success without key');
select is(pg_temp.stands_in(launch_tasks('g', array['b'], run_key => 'other')), 'x=z', 'of another key: the latest of all');

-- several tasks; one downstream of another starts as well
select launch_tasks('g', array['x', 'b', 'b']);
select is(picture(pg_temp.newest()), 'RUNNING | b DISPATCHED | c - | d - | e - | x DISPATCHED', 'two given tasks: c waits for both');
select is(pg_temp.stands_in(pg_temp.newest()), null, 'nothing lies outside');
select launch_tasks('g', array['b', 'c']);
select is(picture(pg_temp.newest()), 'RUNNING | b DISPATCHED | c DISPATCHED | d - | e -', 'c is downstream of b: both start at once');
select finish(pg_temp.newest(), 'b');
select is((select count(*)::int from task_run t join graph_run_task_run l on l.task_run_id = t.id where l.graph_run_id = pg_temp.newest() and t.task_id = task_id('c')), 1, 'and c once');
select finish(pg_temp.newest(), 'c');
select is(picture(pg_temp.newest()), 'RUNNING | b SUCCESS | c SUCCESS | d DISPATCHED | e DISPATCHED', 'd after c');
select launch_tasks('g', array['d']);
select is(picture(pg_temp.newest()), 'RUNNING | d DISPATCHED', 'a leaf needs nothing');
select finish(pg_temp.newest(), 'd', 'FAILED');
select is(picture(pg_temp.newest()), 'FAILED | d FAILED', 'and ends');
select launch_tasks('g', array['b', 'c']);
select finish(pg_temp.newest(), 'b', 'FAILED');
select is(picture(pg_temp.newest()), 'RUNNING | b FAILED | c DISPATCHED | d - | e SKIPPED', 'a failure of b does not touch c, which was given, nor d after it');

-- a given task that only reports is awaited like a root
select given_task('r', 'nifi'), given_graph('h', 'r -> s', '[s, q] -> t');
select say('r', 'SUCCESS', 'k');
select launch_tasks('h', array['r', 'q'], run_key => 'k');
select is(picture(pg_temp.newest()), 'RUNNING | q DISPATCHED | r awaited | s - | t -', 'r is awaited, q dispatched');
select is(say('r', 'SUCCESS', 'k'), at(pg_temp.newest(), 'r'), 'what somebody awaits is no repeat');
select is(picture(pg_temp.newest()), 'RUNNING | q DISPATCHED | r SUCCESS | s DISPATCHED | t -', 'it goes on');
-- policies do not compare it; an event opens its own
select say('r', 'SUCCESS', 'n');
select is((select opened_by from graph_run where id = pg_temp.newest()), 'event', 'an event opens its own run');
-- meeting graphs
select given_graph('i', 's -> u');
select launch_tasks('h', array['s', 'q']);
select finish(pg_temp.newest(), 's');
select is(pictures('i'), 'RUNNING | s SUCCESS | u DISPATCHED', 'a success of a partial run crosses as any');
-- only SUCCESS counts outside
select given_graph('j', '[v, w] -> y');
select launch_graph('j'); select finish(run('j'), 'w', 'FAILED');
select refuses($$ select launch_tasks('j', array['v']) $$, 'OR403', 'task "w"', 'a failure is no success');

select refuses($$ select launch_tasks('no', array['b']) $$, 'OR401', 'graph "no"', 'an unknown graph');
select refuses($$ select launch_tasks(null, array['b']) $$, 'OR401', 'graph null', 'no graph');
select refuses($$ select launch_tasks('g', array['b', 'zz']) $$, 'OR401', 'task "zz" does not exist', 'an unknown task');
select refuses($$ select launch_tasks('g', array['b', null]) $$, 'OR401', 'task null', 'no name');
select refuses($$ select launch_tasks('g', array['b', 'r']) $$, 'OR404', 'task "r" is not in graph "g"', 'a task of another graph');
select refuses($$ select launch_tasks('g', '{}') $$, 'OR501', 'graph "g"', 'no tasks');
select refuses($$ select launch_tasks('g', null) $$, 'OR501', 'graph "g"', 'null tasks');
select refuses($$ select launch_tasks('g', array['b'], '[]') $$, 'OR108', 'graph "g"', 'params that are no object');
select refuses($$ select launch_tasks('g', array['b'], '{}', '') $$, 'OR101', 'run key', 'an empty run key');
select refuses($$ select launch_tasks('g', array['b'], '{}', repeat('k', 251)) $$, 'OR101', 'run key', 'a long run key');
update task set archived = true where name = 'e';
select refuses($$ select launch_tasks('g', array['e']) $$, 'OR404', 'task "e" is archived', 'an archived task');
update graph set archived = true where name = 'g';
select refuses($$ select launch_tasks('g', array['b']) $$, 'OR402', 'graph "g" is archived', 'an archived graph');
insert into graph (name) values ('empty');
select refuses($$ select launch_tasks('empty', array['b']) $$, 'OR402', 'graph "empty"', 'an empty graph');
set local session_replication_role = replica;
update graph set archived = false, paused = true where name = 'g';
set local session_replication_role = origin;
select refuses($$ select launch_tasks('g', array['b']) $$, 'OR408', 'graph "g" is paused', 'a paused graph');
select refuses($$ select launch_graph('g') $$, 'OR408', 'graph "g" is paused', 'nor the whole of it');
