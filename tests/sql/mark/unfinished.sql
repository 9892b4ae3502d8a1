-- SPEC 4.4: marking a task run that has not ended ends it so, in every run it stands in; the tool's own end comes late.
select plan(16);

select given_graph('g', 'a -> b -> c', 'x -> c');
select launch_graph('g');
select is(mark_task_run(at(run('g'), 'a'), 'SUCCESS', 'done by hand'), null, 'nothing took over');
select is(picture(run('g')), 'RUNNING | a SUCCESS | b DISPATCHED | c - | x DISPATCHED', 'what it unblocks starts');
select is(state(at(run('g'), 'a')), 'SUCCESS marked', 'marked');
select is((select count(*)::int from dispatch where task_run_id = at(run('g'), 'a')), 0, 'its unsent dispatch is withdrawn');
select matches((last_event(at(run('g'), 'a'))).detail, '^marked SUCCESS by .*: done by hand$', 'who and why');
select is((select (old_status, new_status, source, db_user = session_user)::text from task_run_event where task_run_id = at(run('g'), 'a') and new_status = 'SUCCESS'), '(DISPATCHED,SUCCESS,sql,t)', 'in the history');
select set_config('orchestration.source', 'rest', true), set_config('orchestration.actor', 'bo', true);
select tell(at(run('g'), 'b'), 'RUNNING');
select mark_task_run(at(run('g'), 'b'), 'FAILED');
select is(picture(run('g')), 'RUNNING | a SUCCESS | b FAILED | c SKIPPED | x DISPATCHED', 'FAILED: what is downstream is skipped');
select is((select (source, actor, detail)::text from task_run_event where task_run_id = at(run('g'), 'b') and new_status = 'FAILED'), '(rest,bo,"marked FAILED by bo")', 'source and actor as set');
select is(tell(at(run('g'), 'b'), 'SUCCESS'), at(run('g'), 'b'), 'the tool''s own end');
select is(state(at(run('g'), 'b')), 'FAILED marked', 'changes nothing');
select is((last_event(at(run('g'), 'b'))).reason, 'late', 'it is late');
select is((select count(*)::int from graph_run), 1, 'and no correction: a person had ended it');
-- a dispatch that a bridge has claimed already cannot be withdrawn
update dispatch set bridge_id = 1;
select mark_task_run(at(run('g'), 'x'), 'SUCCESS');
select is((select count(*)::int from dispatch where task_run_id = at(run('g'), 'x')), 1, 'a dispatch a bridge is sending stays until it is confirmed');
select is(picture(run('g')), 'FAILED | a SUCCESS | b FAILED | c SKIPPED | x SUCCESS', 'the run ends');
-- shared by two graphs
select given_graph('h', 's -> t'), given_graph('i', 's -> u');
select say('s', 'RUNNING', 'k');
select mark_task_run((select id from task_run where task_id = task_id('s')), 'SUCCESS');
select is(pictures('h') || '; ' || pictures('i'), 'RUNNING | s SUCCESS | t DISPATCHED; RUNNING | s SUCCESS | u DISPATCHED', 'work a tool started joins as if it had reported');
select is((select source from task_run_event where graph_run_id = run('h') and task_run_id is null), 'rest', 'and the run says from where');
