-- SPEC 4.4: marking a FAILED, SKIPPED or CANCELLED task run SUCCESS takes its run over with that task as a new task run SUCCESS (`marked`).
select plan(34);

-- FAILED
select given_graph('g', 'a -> b -> c -> d', 'a -> x -> d');
select launch_graph('g', '{"p": 1}', 'k');
select finish(run('g'), 'a');
select tell(at(run('g'), 'b'), 'FAILED', result => '{"rows": 3}');
select finish(run('g'), 'x');
select is(pictures('g'), 'FAILED | a SUCCESS | b FAILED | c SKIPPED | d SKIPPED | x SUCCESS', 'b failed, the run ended');
select set_config('orchestration.actor', 'ann', true);
select is(mark_task_run(id => at(run('g'), 'b'), status => 'SUCCESS', reason => 'rows were right'), run('g', 2), 'answers the run that took over');
select is(pictures('g'), E'FAILED | a SUCCESS | b FAILED | c SKIPPED | d SKIPPED | x SUCCESS\nRUNNING | a SUCCESS | b SUCCESS | c DISPATCHED | d - | x SUCCESS', 'the old one stays, the new one goes on');
select is(at(run('g', 2), n), at(run('g', 1), n), n || ' is shared') from unnest(array['a', 'x']) n;
select isnt(at(run('g', 2), 'b'), at(run('g', 1), 'b'), 'b is a new task run');
select is(state(at(run('g', 2), 'b')), 'SUCCESS marked', 'SUCCESS, marked');
select is((select (result, run_key, config)::text from task_run where id = at(run('g', 2), 'b')), '("{""rows"": 3}",k,)', 'with what it had reported and the key; never dispatched');
select is((select (opened_by, run_key, params, replaces_id = run('g', 1))::text from graph_run where id = run('g', 2)), '(rerun,k,"{""p"": 1}",t)', 'key and params are kept');
select is((select replaced_by_id from graph_run where id = run('g', 1)), run('g', 2), 'the old one names the new one');
select is((select (e.new_status, e.source, e.actor, e.db_user = session_user, e.reason, e.detail)::text from task_run_event e where e.task_run_id = at(run('g', 2), 'b')),
          '(SUCCESS,sql,ann,t,marked,"marked SUCCESS by ann: rows were right")', 'who and why is in the history');
select matches((select detail from task_run_event where graph_run_id = run('g', 2) and task_run_id is null), 'takes over graph run .*task b.*ann: rows were right', 'also of the graph run');
select finish(run('g', 2), 'c'); select finish(run('g', 2), 'd');
select is(picture(run('g', 2)), 'SUCCESS | a SUCCESS | b SUCCESS | c SUCCESS | d SUCCESS | x SUCCESS', 'it ends');
select is(tell(at(run('g', 1), 'b'), 'SUCCESS') is not null, true, 'the tool''s own second thought');
select is((select count(*)::int from graph_run where graph_id = graph_id('g')), 2, 'changes nothing: the run was taken over');
select refuses(format($$ select mark_task_run(%s, 'SUCCESS') $$, at(run('g', 1), 'b')), 'OR307', format('graph run %s was taken over by graph run %s', run('g', 1), run('g', 2)), 'the same once more');
select refuses(format($$ select mark_task_run(%s, 'SUCCESS') $$, at(run('g', 2), 'c')), 'OR307', 'task "c" is SUCCESS', 'a SUCCESS');
select refuses(format($$ select mark_task_run(%s, 'FAILED') $$, at(run('g', 2), 'c')), 'OR307', 'task "c" is SUCCESS', 'a SUCCESS as FAILED');
select refuses(format($$ select mark_task_run(%s, 'FAILED') $$, at(run('g', 1), 'b')), 'OR307', 'task "b" is FAILED', 'an ended one FAILED');
select refuses($$ select mark_task_run(-1, 'SUCCESS') $$, 'OR401', 'task run -1', 'an unknown one');
select refuses($$ select mark_task_run(null, 'SUCCESS') $$, 'OR401', 'task run null', 'none');
select refuses(format($$ select mark_task_run(%s, %s) $$, at(run('g', 1), 'b'), coalesce(quote_literal(s), 'null')), 'OR108', 'task run', 'status ' || coalesce(s, 'null'))
from unnest(array['SKIPPED', 'done', null]) s;

-- SKIPPED by a failure before it: it counts, whatever came before; what comes after it alone starts
select given_graph('s', '1 -> 2 -> 3', '[1, 3] -> 4');
select launch_graph('s');
select finish(run('s'), '1', 'FAILED');
select mark_task_run(at(run('s'), '2'), 'SUCCESS');
select is(picture(run('s', 2)), 'RUNNING | 1 FAILED | 2 SUCCESS | 3 DISPATCHED | 4 SKIPPED', 'a SKIPPED one: 3 starts, 4 is skipped for 1');
select finish(run('s', 2), '3');
select is(picture(run('s', 2)), 'FAILED | 1 FAILED | 2 SUCCESS | 3 SUCCESS | 4 SKIPPED', 'the failure before it stays one');

-- CANCELLED, while the run goes on; a root that is awaited goes on being awaited
select given_task('r', 'nifi'), given_graph('c', 'e -> f', 'h -> i', '[r, f] -> j');
select launch_graph('c');
update task_run set status = 'CANCELLED' where id = at(run('c'), 'e');
select is(picture(run('c', 1)), 'RUNNING | e CANCELLED | f SKIPPED | h DISPATCHED | i - | j SKIPPED | r awaited', 'e cancelled');
select mark_task_run(at(run('c', 1), 'e'), 'SUCCESS');
select is(picture(run('c', 2)), 'RUNNING | e SUCCESS | f DISPATCHED | h DISPATCHED | i - | j - | r awaited', 'the new run goes on from e, awaits r and shares h in flight');
select is(picture(run('c', 1)), 'RUNNING | e CANCELLED | f SKIPPED | h DISPATCHED | i SKIPPED | j SKIPPED | r SKIPPED', 'the old one ends what it has started');
select is((select reason from graph_run where id = run('c', 1)), 'superseded', 'superseded');
select finish(run('c', 2), 'h');
select is(picture(run('c', 1)), 'CANCELLED | e CANCELLED | f SKIPPED | h SUCCESS | i SKIPPED | j SKIPPED | r SKIPPED', 'and ends');
select is(say('r', 'SUCCESS'), at(run('c', 2), 'r'), 'r joins the new one');
select finish(run('c', 2), 'f');
select is(picture(run('c', 2)), 'RUNNING | e SUCCESS | f SUCCESS | h SUCCESS | i DISPATCHED | j DISPATCHED | r SUCCESS', 'the join');
-- a task run in no graph run
select given_task('lone');
insert into task_run (task_id, status) values (task_id('lone'), 'FAILED');
select refuses($$ select mark_task_run((select id from task_run where task_id = task_id('lone')), 'SUCCESS') $$, 'OR307', 'stands in no graph run', 'nothing to take over');
