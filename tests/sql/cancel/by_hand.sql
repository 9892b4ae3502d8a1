-- SPEC 4.4: cancel_graph_run, cancel_task_run: who and why; what ended is refused; late events; dispatches on their way.
select plan(38);

select given_task('r', 'nifi'), given_graph('g', 'a -> b -> d', 'x -> y', '[r, a] -> c');
select set_config('orchestration.actor', 'ann', true), set_config('orchestration.source', 'cli', true);
select launch_graph('g', run_key => 'k');
select finish(run('g'), 'a'); select tell(at(run('g'), 'b'), 'RUNNING');
select lives_ok(format($$ select cancel_graph_run(id => %s, reason => 'wrong day') $$, run('g')), 'arguments by name');
select is(pictures('g'), 'CANCELLED | a SUCCESS | b CANCELLED | c SKIPPED | d SKIPPED | r SKIPPED | x CANCELLED | y SKIPPED', 'it ends at once');
select is((select (status, reason, detail)::text from graph_run where id = run('g')), '(CANCELLED,cancelled,"cancelled by ann: wrong day")', 'reason and words');
select is((select (e.old_status, e.new_status, e.source, e.actor, e.db_user = session_user, e.reason, e.detail)::text from task_run_event e
           where e.graph_run_id = run('g') and e.task_run_id is null and e.new_status = 'CANCELLED'), '(RUNNING,CANCELLED,cli,ann,t,cancelled,"cancelled by ann: wrong day")', 'who and why');
select is((select (source, actor, reason, detail)::text from task_run_event where task_run_id = at(run('g'), 'b') and new_status = 'CANCELLED'), '(cli,ann,cancelled,"cancelled by ann: wrong day")', 'of the task runs too');
select is((select count(*)::int from dispatch where task_run_id = at(run('g'), 'x')), 0, 'the unsent dispatch is withdrawn');
select tell(at(run('g'), 'b'), 'SUCCESS');
select is(state(at(run('g'), 'b')) || ', ' || (last_event(at(run('g'), 'b'))).reason, 'CANCELLED cancelled, late', 'a late event is recorded and changes nothing');
select is((select count(*)::int from graph_run), 1, 'no take-over');
select refuses(format('select cancel_graph_run(%s)', run('g')), 'OR307', format('graph run %s has ended CANCELLED', run('g')), 'it has ended');
select refuses('select cancel_graph_run(-1)', 'OR401', 'graph run -1', 'an unknown graph run');
select refuses('select cancel_graph_run(null)', 'OR401', 'graph run null', 'none');
-- without an actor
select set_config('orchestration.actor', '', true), set_config('orchestration.source', '', true);
select launch_graph('g'); select cancel_graph_run(run('g', 2));
select is((select (detail = 'cancelled by ' || session_user)::text from graph_run where id = run('g', 2)), 'true', 'the database''s user where there is no other');

-- a task run
select launch_graph('g', run_key => 't');
select lives_ok(format($$ select cancel_task_run(id => %s, reason => 'stuck') $$, at(run('g', 3), 'a')), 'a task run');
select is(picture(run('g', 3)), 'RUNNING | a CANCELLED | b SKIPPED | c SKIPPED | d SKIPPED | r awaited | x DISPATCHED | y -', 'what is downstream is skipped, the rest goes on');
select is(state(at(run('g', 3), 'a')) || ', ' || state(at(run('g', 3), 'b')), 'CANCELLED cancelled, SKIPPED upstream', 'reasons');
select is((select (old_status, new_status, source, db_user = session_user, reason)::text from task_run_event where task_run_id = at(run('g', 3), 'a') and new_status = 'CANCELLED'), '(DISPATCHED,CANCELLED,sql,t,cancelled)', 'who');
select matches((select detail from task_run where id = at(run('g', 3), 'a')), '^cancelled by .*: stuck$', 'and why');
select is((select count(*)::int from dispatch where task_run_id = at(run('g', 3), 'a')), 0, 'its unsent dispatch is withdrawn');
select tell(at(run('g', 3), 'a'), 'SUCCESS');
select is(state(at(run('g', 3), 'a')) || ', ' || (last_event(at(run('g', 3), 'a'))).reason, 'CANCELLED cancelled, late', 'late');
select say('a', 'SUCCESS', 't');
select is((select count(*)::int from graph_run where graph_id = graph_id('g') and run_key = 't'), 2, 'once the tool has reported, a further report is new work');
select refuses(format('select cancel_task_run(%s)', at(run('g', 3), 'a')), 'OR307', 'task "a" has ended CANCELLED', 'it has ended');
select refuses(format('select cancel_task_run(%s)', at(run('g', 3), 'b')), 'OR307', 'task "b" has ended SKIPPED', 'skipped is ended');
select refuses('select cancel_task_run(-1)', 'OR401', 'task run -1', 'an unknown task run');
select finish(run('g', 3), 'x'); select finish(run('g', 3), 'y'); select say('r', 'SUCCESS', 't'); select say('r', 'SUCCESS', 't');
select is((select status from graph_run where id = run('g', 3)), 'CANCELLED', 'a run with a cancelled task ends CANCELLED');
-- one that no graph run holds
select given_task('lone');
insert into task_run (task_id) values (task_id('lone'));
select cancel_task_run((select id from task_run where task_id = task_id('lone')));
select is((select state(id) from task_run where task_id = task_id('lone')), 'CANCELLED cancelled', 'a lone one');

-- shared by open runs: a graph run's cancel leaves it, a task run's cancel ends it for all
select given_graph('p', 's -> t', 'u -> v');
select say('s', 'SUCCESS', 'k'); select say('u', 'SUCCESS', 'k'); select say('s', 'SUCCESS', 'k');
select is(at(run('p', 2), 'v'), at(run('p', 1), 'v'), 'v is shared');
select cancel_graph_run(run('p', 1));
select is(picture(run('p', 1)) || '; ' || picture(run('p', 2)), 'CANCELLED | s SUCCESS | t CANCELLED | u SUCCESS | v DISPATCHED; RUNNING | s SUCCESS | t DISPATCHED | u SUCCESS | v DISPATCHED', 'cancelling one run leaves v');
select is((select count(*)::int from dispatch where task_run_id = at(run('p', 1), 'v')), 1, 'and its dispatch');
select rerun(run('p', 2), array['t']);
select cancel_task_run(at(run('p', 3), 'v'));
select is(picture(run('p', 2)) || '; ' || picture(run('p', 3)), 'RUNNING | s SUCCESS | t DISPATCHED | u SUCCESS | v CANCELLED; RUNNING | s SUCCESS | t DISPATCHED | u SUCCESS | v CANCELLED', 'cancelling the task run ends it in every run');

-- a dispatch that a bridge has claimed is not withdrawn; but if it comes back unsent, nobody sends it any more
create temp table held as select given_topic(1) as bridge, null::bigint as other, null::bigint as s, null::bigint as u;
select launch_graph('p', run_key => 'b');
select count(*) from take_dispatches((select bridge from held), 1000);
update held set s = at(run('p', 4), 's'), u = at(run('p', 4), 'u');
select cancel_task_run((select s from held));
select is((select count(*)::int from dispatch where task_run_id = (select s from held)), 1, 'claimed: it is on its way');
select confirm_dispatches((select bridge from held), array(select s from held));
select is((select count(*)::int from dispatch where task_run_id = (select s from held)), 0, 'delivered: it leaves the outbox');
select cancel_graph_run(run('p', 4));
select release_dispatches((select bridge from held), array(select u from held));
select is((select count(*)::int from dispatch where task_run_id = (select u from held)), 0, 'given back: it is withdrawn now');
select launch_graph('p', run_key => 'c');
select count(*) from take_dispatches((select bridge from held), 1000);
select cancel_graph_run(run('p', 5));
select is((select count(*)::int from dispatch where task_run_id = at(run('p', 5), 's')), 1, 'claimed again');
select retire_bridge((select bridge from held));
select is((select count(*)::int from dispatch where task_run_id = at(run('p', 5), 's')), 0, 'a bridge that ends gives back only what is still wanted');
select launch_graph('p', run_key => 'd');
update dispatch set bridge_id = (select bridge from held);
update bridge_instance set retired_at = null, heartbeat_at = now() - interval '1 hour';
update held set other = register_bridge('host', 2, '0');
select cancel_task_run(at(run('p', 6), 's'));
select heartbeat((select other from held), '{}', '{}');
select is((select count(*)::int from dispatch where task_run_id = at(run('p', 6), 's')), 0, 'and a bridge that fell silent');
select is((select count(*)::int from dispatch where task_run_id = at(run('p', 6), 'u') and bridge_id is null), 1, 'what is wanted is free again');
-- the same by plain SQL: who is recorded
select set_config('orchestration.actor', 'bo', true);
update graph_run set status = 'CANCELLED', reason = 'stop' where id = run('p', 6);
select is((select (reason, detail)::text from graph_run where id = run('p', 6)), '(cancelled,"cancelled by bo: stop")', 'UPDATE graph_run');
select launch_graph('p', run_key => 'e');
update task_run set status = 'CANCELLED' where id = at(run('p', 7), 's');
select is((select (old_status, new_status, actor, db_user = session_user, reason)::text from task_run_event where task_run_id = at(run('p', 7), 's') and new_status = 'CANCELLED'), '(DISPATCHED,CANCELLED,bo,t,cancelled)', 'UPDATE task_run');
