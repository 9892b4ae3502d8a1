-- SPEC 4.3, 4.4: rerun of what failed is a take-over: it shares what it does not redo, in whatever state; downstream is done anew under the current version.
select plan(40);

-- what failed, of an ended run
select given_graph('g', 'a -> b -> c -> d', 'a -> x -> d');
select launch_graph('g', '{"p": 1}', 'k');
select finish(run('g'), 'a'); select finish(run('g'), 'b', 'FAILED'); select finish(run('g'), 'x');
select set_config('orchestration.actor', 'ann', true);
select is(rerun(graph_run_id => run('g')), run('g', 2), 'answers the new graph run');
select is(pictures('g'), E'FAILED | a SUCCESS | b FAILED | c SKIPPED | d SKIPPED | x SUCCESS\nRUNNING | a SUCCESS | b DISPATCHED | c - | d - | x SUCCESS', 'b anew, c and d wait, a and x are shared');
select is(at(run('g', 2), n), at(run('g', 1), n), n || ' is shared') from unnest(array['a', 'x']) n;
select is((select (attempt, run_key, graph_run_id = run('g', 2))::text from task_run where id = at(run('g', 2), 'b')), '(1,k,t)', 'a first attempt');
select is((select (opened_by, run_key, params, replaces_id = run('g', 1), version_id = (select version_id from graph_run where id = run('g', 1)))::text from graph_run where id = run('g', 2)), '(rerun,k,"{""p"": 1}",t,t)', 'key and params are kept');
select is((select (source, actor, db_user = session_user, new_status, reason)::text from task_run_event where graph_run_id = run('g', 2) and task_run_id is null), '(sql,ann,t,RUNNING,rerun)', 'who is in the history');
select matches((select detail from task_run_event where graph_run_id = run('g', 2) and task_run_id is null), format('takes over graph run %s; rerun of what failed: b by ann', run('g', 1)), 'and what');
select is((select (status, reason, replaced_by_id = run('g', 2))::text from graph_run where id = run('g', 1)), '(FAILED,,t)', 'the old one names it; it had ended by itself');
-- of a rerun
select finish(run('g', 2), 'b'); select finish(run('g', 2), 'c', 'FAILED');
select is(picture(rerun(run('g', 2))), 'RUNNING | a SUCCESS | b SUCCESS | c DISPATCHED | d - | x SUCCESS', 'of a rerun');
select is(at(run('g', 3), 'b'), at(run('g', 2), 'b'), 'b of the second is shared');
select finish_all('g');
select is(picture(run('g', 3)), 'SUCCESS | a SUCCESS | b SUCCESS | c SUCCESS | d SUCCESS | x SUCCESS', 'it ends');
select is((select count(*)::int from task_run where task_id = task_id('a')), 1, 'a was done once in all');
-- of one that was taken over
select is(picture(rerun(run('g', 1))), 'RUNNING | a SUCCESS | b DISPATCHED | c - | d - | x SUCCESS', 'of one that was taken over before');
select is((select (replaces_id = run('g', 1), (select replaced_by_id from graph_run where id = run('g', 1)) = run('g', 4))::text from graph_run where id = run('g', 4)), '(t,t)', 'it takes it over again');
select is((select status from graph_run where id = run('g', 3)), 'SUCCESS', 'the other is left alone');

-- while the old one is running: what is in flight is shared, what had not started is superseded, awaited roots are awaited by the new one
select given_task('r', 'nifi'), given_graph('h', 'e -> f -> i', '[r, i] -> j', 'l -> m');
select launch_graph('h');
select finish(run('h'), 'e', 'FAILED');
select is(picture(run('h')), 'RUNNING | e FAILED | f SKIPPED | i SKIPPED | j SKIPPED | l DISPATCHED | m - | r awaited', 'before');
select rerun(run('h'));
select is(pictures('h'), E'RUNNING | e FAILED | f SKIPPED | i SKIPPED | j SKIPPED | l DISPATCHED | m SKIPPED | r SKIPPED\nRUNNING | e DISPATCHED | f - | i - | j - | l DISPATCHED | m - | r awaited', 'after');
select is(at(run('h', 2), 'l'), at(run('h', 1), 'l'), 'l in flight is shared');
select is(state(at(run('h', 1), 'm')), 'SKIPPED superseded', 'superseded');
select is((select detail from task_run where id = at(run('h', 1), 'm')), 'graph run ' || run('h', 2) || ' took over', 'naming the new one');
select is((select reason from graph_run where id = run('h', 1)), 'superseded', 'also the run');
select is(say('r', 'SUCCESS'), at(run('h', 2), 'r'), 'r joins the new one');
select finish(run('h', 2), 'l');
select is(picture(run('h', 1)), 'FAILED | e FAILED | f SKIPPED | i SKIPPED | j SKIPPED | l SUCCESS | m SKIPPED | r SKIPPED', 'the old one ends with what it had started');
select is(picture(run('h', 2)), 'RUNNING | e DISPATCHED | f - | i - | j - | l SUCCESS | m DISPATCHED | r SUCCESS', 'm starts once, in the new one');
select is((select count(*)::int from task_run where task_id = task_id('m') and status <> 'SKIPPED'), 1, 'once');
select finish_all('h');
select is((select status from graph_run where id = run('h', 2)), 'SUCCESS', 'it ends');

-- what a cancel ended and kept from starting
select launch_graph('h', run_key => 'c');
select finish(run('h', 3), 'l');
select cancel_graph_run(run('h', 3));
select is(picture(run('h', 3)), 'CANCELLED | e CANCELLED | f SKIPPED | i SKIPPED | j SKIPPED | l SUCCESS | m CANCELLED | r SKIPPED', 'cancelled');
select rerun(run('h', 3));
select is(picture(run('h', 4)), 'RUNNING | e DISPATCHED | f - | i - | j - | l SUCCESS | m DISPATCHED | r awaited', 'all of it again, r awaited');
-- a place that waits for what another run has in flight waits here too
select given_graph('s', 'u -> v -> w', 't1 -> t2');
select launch_graph('s'); select finish(run('s'), 't1', 'FAILED'); select rerun(run('s'));
select is(at(run('s', 2), 'u'), at(run('s', 1), 'u'), 'u is shared, in flight');
select cancel_graph_run(run('s', 2));
select is(picture(run('s', 2)), 'CANCELLED | t1 CANCELLED | t2 SKIPPED | u DISPATCHED | v SKIPPED | w SKIPPED', 'u goes on for the first');
select rerun(run('s', 2));
select is(picture(run('s', 3)), 'RUNNING | t1 DISPATCHED | t2 - | u DISPATCHED | v - | w -', 'v waits for u');
select finish(run('s', 3), 'u');
select is(picture(run('s', 3)), 'RUNNING | t1 DISPATCHED | t2 - | u SUCCESS | v DISPATCHED | w -', 'and follows');
-- a reported SKIPPED is no failure; coalesced tasks stay as they were
select given_task('q', 'nifi'), given_graph('k', 'q -> n1 -> n2', 'o -> p');
select launch_graph('k'); select say('q', 'SKIPPED'); select finish(run('k'), 'o', 'FAILED');
select rerun(run('k'));
select is(picture(run('k', 2)), 'RUNNING | n1 SKIPPED | n2 SKIPPED | o DISPATCHED | p - | q SKIPPED', 'a root that reported SKIPPED stays');
-- nothing
select refuses(format('select rerun(%s)', run('g', 3)), 'OR308', format('graph run %s has nothing to rerun', run('g', 3)), 'nothing failed');
select refuses(format('select rerun(%s, %L)', run('g', 3), '{}'), 'OR308', format('graph run %s', run('g', 3)), 'an empty list is what failed');
select refuses($$ select rerun(-1) $$, 'OR401', 'graph run -1', 'an unknown run');
select refuses($$ select rerun(null) $$, 'OR401', 'graph run null', 'no run');
select is((select count(*)::int from graph_run where graph_id = graph_id('g')), 4, 'what was refused changed nothing');
update graph set archived = true where name = 'g';
select refuses(format('select rerun(%s)', run('g', 1)), 'OR402', 'graph "g" .*archived', 'an archived graph');
