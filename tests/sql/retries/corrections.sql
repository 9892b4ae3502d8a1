-- SPEC 4.6: a SUCCESS reported after a reported FAILED of the same execution is a correction: it acts as mark SUCCESS on the ended run, source event.
select plan(27);

select given_graph('g', 'a -> b -> c', 'a -> d');
select launch_graph('g', '{"x": 1}', 'k'), finish(run('g'), 'a'), tell(at(run('g'), 'b'), 'FAILED', ext => 'x', result => '{"n": 1}'), finish(run('g'), 'd');
select is(pictures('g'), 'FAILED | a SUCCESS | b FAILED | c SKIPPED | d SUCCESS', 'failed');
select is(tell(at(run('g'), 'b'), 'SUCCESS', detail => 'cleared', result => '{"n": 2}'), at(run('g'), 'b'), 'the operator cleared it in the tool');
select is(pictures('g'), E'FAILED | a SUCCESS | b FAILED | c SKIPPED | d SUCCESS\nRUNNING | a SUCCESS | b SUCCESS | c DISPATCHED | d SUCCESS', 'a run takes over: what is not redone is shared');
select is((select (reason, replaced_by_id = tap.run('g', 2))::text from graph_run where id = run('g')), '(,t)', 'the old one had ended: it is named by who took it over');
select is((select (status, reason, result, run_key, detail, dispatched_at)::text from task_run where id = at(run('g', 2), 'b')),
          format('(SUCCESS,marked,"{""n"": 2}",k,"SUCCESS was reported after FAILED of task run %s: cleared",)', at(run('g'), 'b')), 'a new task run SUCCESS, marked');
select is((last_event(at(run('g', 2), 'b'))).source, 'event', 'source event');
select is((select (old_status, new_status, reason, detail, source)::text from last_event(at(run('g'), 'b'))),
          format('(FAILED,FAILED,correction,"SUCCESS, graph run %s took over: cleared",event)', run('g', 2)), 'history of the failed one says what its success did');
select is((select (replaces_id = tap.run('g'), opened_by, params)::text from graph_run where id = run('g', 2)), '(t,rerun,"{""x"": 1}")', 'a run by hand stays one by hand');
select tell(at(run('g'), 'b'), 'SUCCESS');
select is((select count(*)::int from graph_run), 2, 'said twice: once');
select is((select (reason, detail)::text from last_event(at(run('g'), 'b'))), '(late,SUCCESS)', 'the second is recorded as late');
select is(say('b', 'SUCCESS', 'k', ext => 'x'), at(run('g'), 'b'), 'also by external_id');
select is((select count(*)::int from graph_run), 2, 'is late then');

-- while the run is still open; opened by an event; by external_id
select given_task('r', 'nifi'), given_graph('e', 'r -> s -> t', 'r -> u');
select say('r', 'SUCCESS', 'k'), tell(at(run('e'), 's'), 'FAILED', ext => 'y');
select say('s', 'SUCCESS', 'k', ext => 'y');
select is(pictures('e'), E'RUNNING | r SUCCESS | s FAILED | t SKIPPED | u DISPATCHED\nRUNNING | r SUCCESS | s SUCCESS | t DISPATCHED | u DISPATCHED', 'of an open run');
select is((select opened_by from graph_run where id = run('e', 2)), 'event', 'a run opened by an event stays one');
select is((select (matched_by, reason)::text from last_event(at(run('e'), 's'))), '(external_id,correction)', 'by external_id');
-- a root's own work that failed
select say('r', 'FAILED', 'l', ext => 'z'), say('r', 'SUCCESS', 'l', ext => 'z');
select is((select picture(run('e', -1))), 'RUNNING | r SUCCESS | s DISPATCHED | t - | u DISPATCHED', 'work a tool started by itself is corrected too');

-- no correction
select launch_graph('g'), finish(run('g', 3), 'a'), finish(run('g', 3), 'd');
update task_run set status = 'FAILED' where id = at(run('g', 3), 'b');
select tell(at(run('g', 3), 'b'), 'SUCCESS');
select is((select count(*)::int from graph_run where graph_id = graph_id('g')), 3, 'not of what a person marked FAILED');
select launch_graph('g'), finish(run('g', 4), 'a'), finish(run('g', 4), 'd');
update task_run set status = 'FAILED', reason = 'timeout' where id = at(run('g', 4), 'b');
select tell(at(run('g', 4), 'b'), 'SUCCESS');
select is((select count(*)::int from graph_run where graph_id = graph_id('g')), 4, 'not after a time-out');
select launch_graph('g'), finish(run('g', 5), 'a', 'SKIPPED'), finish(run('g', 5), 'a');
select is((select count(*)::int from graph_run where graph_id = graph_id('g')), 5, 'not after SKIPPED');
select launch_graph('g'), finish(run('g', 6), 'a'), finish(run('g', 6), 'a', 'FAILED');
select is((select picture(run('g', 6))), 'RUNNING | a SUCCESS | b DISPATCHED | c - | d DISPATCHED', 'and FAILED after SUCCESS is late: the first wins');
insert into task_run (task_id) values (task_id('a'));
select tell((select max(id) from task_run), 'FAILED'), tell((select max(id) from task_run), 'SUCCESS');
select is((select state(max(id)) from task_run), 'FAILED', 'a task run alone has no run to take over');
select is((select reason from task_run_event order by id desc limit 1), 'late', 'recorded as late');
update service set corrections = false where name = 'airflow';
select launch_graph('g'), finish(run('g', 7), 'a', 'FAILED'), finish(run('g', 7), 'a');
select is((select count(*)::int from graph_run where graph_id = graph_id('g')), 7, 'service.corrections off: none');
select is((last_event(at(run('g', 7), 'a'))).reason, 'late', 'recorded as late');
update service set corrections = true where name = 'airflow';
update graph set archived = true where name = 'g';
select tell(at(run('g', 7), 'a'), 'SUCCESS');
select is((select count(*)::int from graph_run where graph_id = graph_id('g')), 7, 'an archived graph opens no run');
select is((last_event(at(run('g', 7), 'a'))).reason, 'late', 'recorded as late');
select is(letters(), 'none', 'never a dead letter');
