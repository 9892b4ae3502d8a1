-- SPEC 2, task_run_event: every transition and every event that changed nothing, with source, actor, db_user, matched_by, reason, detail.
select plan(28);

select given_graph('g', 'a -> b', 'a -> c -> d');
set local orchestration.actor = 'alice';
select launch_graph('g', run_key => 'k');
select is((select (old_status, new_status, source, actor, db_user = session_user)::text from task_run_event where graph_run_id = run('g') and task_run_id is null), '(,RUNNING,sql,alice,t)', 'a graph run that is launched: source sql, the actor, the database user');
select is((select (graph_run_id = run('g'), old_status, new_status, source, actor)::text from last_event(at(run('g'), 'a'))), '(t,,DISPATCHED,sql,alice)', 'its root');
set local orchestration.actor = '';
select tell(at(run('g'), 'a'), 'RUNNING', detail => 'on worker 3');
select is((select (old_status, new_status, source, actor, matched_by, detail)::text from last_event(at(run('g'), 'a'))), '(DISPATCHED,RUNNING,event,,task_run_id,"on worker 3")', 'an event: source event, no actor, how it was matched, its words');
select tell(at(run('g'), 'a'), 'RUNNING', detail => 'still');
select is((select (old_status, new_status, source, matched_by, detail)::text from last_event(at(run('g'), 'a'))), '(RUNNING,RUNNING,event,task_run_id,"RUNNING: still")', 'an event that changes nothing is recorded');
select say('a', 'SUCCESS', 'k');
select is((select (old_status, new_status, matched_by)::text from last_event(at(run('g'), 'a'))), '(RUNNING,SUCCESS,in_flight)', 'matched in flight');
select is((select (old_status, new_status, source, graph_run_id = run('g'))::text from last_event(at(run('g'), 'b'))), '(,DISPATCHED,event,t)', 'what the event started has its source');
select tell(at(run('g'), 'c'), 'FAILED', detail => 'no space');
select is((select (old_status, new_status, source, reason)::text from last_event(at(run('g'), 'd'))), '(,SKIPPED,event,upstream)', 'what it skipped, with the reason');
select tell(at(run('g'), 'b'), 'SUCCESS', ext => 'x');
select is((select (old_status, new_status, source)::text from task_run_event where graph_run_id = run('g') and task_run_id is null order by id desc limit 1), '(RUNNING,FAILED,event)', 'the end of the graph run');
select say('b', 'SUCCESS', ext => 'x', detail => 'again');
select is((select (old_status, new_status, source, matched_by, reason, detail)::text from last_event(at(run('g'), 'b'))), '(SUCCESS,SUCCESS,event,external_id,late,"SUCCESS: again")', 'a late one');
select is(history(at(run('g'), 'a')), '- > DISPATCHED, DISPATCHED > RUNNING, RUNNING > RUNNING, RUNNING > SUCCESS', 'the whole history of a');
select is((select count(*)::int from task_run_event where graph_run_id = run('g') and task_run_id is null), 2, 'the run: two rows');
-- by hand, with an actor and a source set by the API
set local orchestration.actor = 'token nightly';
set local orchestration.source = 'rest';
select launch_graph('g');
update task_run set status = 'FAILED', reason = 'broken', detail = 'disk' where id = at(run('g', 2), 'a');
select is((select (old_status, new_status, source, actor, reason, detail)::text from last_event(at(run('g', 2), 'a'))), '(DISPATCHED,FAILED,rest,"token nightly",broken,disk)', 'an UPDATE by the API: source rest, actor, reason and detail');
select is((select array_agg(distinct source) from task_run_event where graph_run_id = run('g', 2)), array['rest'], 'all that follows has it');
insert into task_run (task_id, status, run_key) values (task_id('a'), 'SUCCESS', 'rest');
select is((select source from task_run_event where new_status = 'SUCCESS' and source = 'rest' and task_run_id = (select max(id) from task_run where run_key = 'rest' and task_id = task_id('a'))), 'rest', 'INSERT too');
set local orchestration.source = '';
set local orchestration.actor = '';
select launch_graph('g');
select is((select (source, actor)::text from last_event(at(run('g', -1), 'a'))), '(sql,)', 'without settings: sql, nobody');
-- the clock
select clock((now() + interval '1 hour')::text);
select tell(at(run('g', -1), 'a'), 'SUCCESS');
select is((select at from last_event(at(run('g', -1), 'a'))), now() + interval '1 hour', 'at is the engine''s clock');
select is((select finished_at from task_run where id = at(run('g', -1), 'a')), now() + interval '1 hour', 'as are the times of the row');
-- nothing is recorded twice: transitions of a row are as many as its states
select is((select count(*)::int from (select task_run_id, new_status from task_run_event where task_run_id is not null and old_status is distinct from new_status group by 1, 2 having count(*) > 1) x), 0, 'no transition twice');
select is((select count(*)::int from task_run t where not exists (select from task_run_event e where e.task_run_id = t.id and e.new_status = t.status)), 0, 'each task run''s state has a row');
select is((select count(*)::int from graph_run r where not exists (select from task_run_event e where e.graph_run_id = r.id and e.task_run_id is null and e.new_status = r.status)), 0, 'each graph run''s too');
-- take-over and cancel
select given_acceptance();
select say('1', 'SUCCESS'); select say('1', 'SUCCESS');
select is((select e.reason || ' ' || (e.detail ~ run('integration', 2)::text) from last_event(at(run('integration', 1), '3')) e), 'coalesced true', 'a coalesced task names the run that took over');
select matches((select detail from task_run_event where graph_run_id = run('integration', 2) and task_run_id is null order by id limit 1), run('integration', 1)::text, 'which names the one it took over');
set local orchestration.actor = 'bob';
update graph_run set status = 'CANCELLED' where id = run('integration', 2);
select is((select array_agg(distinct actor) from task_run_event where graph_run_id = run('integration', 2) and new_status in ('CANCELLED', 'SKIPPED')), array['bob'], 'who cancelled');
select is((select array_agg(distinct reason) from task_run_event where graph_run_id = run('integration', 2) and new_status in ('CANCELLED', 'SKIPPED')), array['cancelled'], 'and the reason');
-- report by the API
set local orchestration.source = 'rest';
select is(report('{"service": "nobody", "process": "x", "status": "SUCCESS"}'), null, 'an event of the API that cannot be placed');
select is((select topic from dead_letter order by id desc limit 1), 'rest', 'is a dead letter of topic rest');
set local orchestration.source = '';
select report('{"service": "nobody", "process": "x", "status": "SUCCESS"}');
select is((select topic from dead_letter order by id desc limit 1), 'sql', 'of SQL: topic sql');
select is((select array_agg(column_name::text order by ordinal_position) from information_schema.columns where table_schema = 'orchestration' and table_name = 'task_run_event'),
          array['id', 'at', 'task_run_id', 'graph_run_id', 'old_status', 'new_status', 'source', 'actor', 'db_user', 'matched_by', 'reason', 'detail', 'extra'], 'the columns of the contract, and what else an event said');
