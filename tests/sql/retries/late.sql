-- SPEC 4.6: a late SUCCESS of an earlier attempt ends a later one that is still QUEUED (`late`); once that is dispatched it is only recorded.
select plan(31);

select given_graph('g', 'a -> b -> c');
update task set max_attempts = 3 where name = 'b';
create function pg_temp.attempt(graph_run bigint, task text, n integer) returns bigint language sql as $$
    select l.task_run_id from orchestration.graph_run_task_run l where l.graph_run_id = graph_run and l.task_id = tap.task_id(task) and l.attempt = n
$$;
create function pg_temp.given_failed(run_key text) returns bigint language plpgsql as $$
declare
    v_run bigint := orchestration.launch_graph('g', run_key => given_failed.run_key);
begin
    perform tap.finish(v_run, 'a'), tap.finish(v_run, 'b', 'FAILED');
    return v_run;
end
$$;

-- while the next attempt waits
select pg_temp.given_failed('1');
select is(tell(pg_temp.attempt(run('g'), 'b', 1), 'SUCCESS', detail => 'cleared', result => '{"rows": 7}'), pg_temp.attempt(run('g'), 'b', 1), 'the event belongs to the first attempt');
select is(picture(run('g')), 'RUNNING | a SUCCESS | b SUCCESS | c DISPATCHED', 'the attempt that waited is done, and what follows starts');
select is(state(pg_temp.attempt(run('g'), 'b', 2)), 'SUCCESS late', 'reason late');
select is((select (detail, result, dispatched_at, matched_by)::text from task_run where id = pg_temp.attempt(run('g'), 'b', 2)),
          format('("attempt 1, task run %s, succeeded late: cleared","{""rows"": 7}",,task_run_id)', pg_temp.attempt(run('g'), 'b', 1)), 'with the event''s words and result; never dispatched');
select is(state(pg_temp.attempt(run('g'), 'b', 1)), 'FAILED', 'ends never change');
select is(history(pg_temp.attempt(run('g'), 'b', 2)), '- > QUEUED, QUEUED > SUCCESS', 'history of the second');
select is((select (old_status, new_status, reason, detail, source, matched_by)::text from last_event(pg_temp.attempt(run('g'), 'b', 1))),
          format('(FAILED,FAILED,late,"SUCCESS, ended attempt 2, task run %s: cleared",event,task_run_id)', pg_temp.attempt(run('g'), 'b', 2)), 'history of the first');
select tell(pg_temp.attempt(run('g'), 'b', 1), 'SUCCESS');
select is(dispatched('c'), 1::bigint, 'the same again starts nothing');
select is((last_event(pg_temp.attempt(run('g'), 'b', 1))).detail, 'SUCCESS', 'it is only recorded');
select is((select count(*)::int from graph_run), 1, 'and is no correction');

-- once it is dispatched
select pg_temp.given_failed('2');
select _dispatch(array[at(run('g', 2), 'b')]);
select tell(pg_temp.attempt(run('g', 2), 'b', 1), 'SUCCESS');
select is(picture(run('g', 2)), 'RUNNING | a SUCCESS | b DISPATCHED | c -', 'the next attempt is under way: recorded only');
select is((last_event(pg_temp.attempt(run('g', 2), 'b', 1))).reason, 'late', 'as late');
-- of two earlier attempts the first
select finish(run('g', 2), 'b', 'FAILED');
select tell(pg_temp.attempt(run('g', 2), 'b', 1), 'SUCCESS');
select is(picture(run('g', 2)), 'RUNNING | a SUCCESS | b SUCCESS | c DISPATCHED', 'the first of three ends the third');
select is(state(pg_temp.attempt(run('g', 2), 'b', 3)), 'SUCCESS late', 'which waited');
-- after the last one failed
select pg_temp.given_failed('3');
select _dispatch(array[at(run('g', 3), 'b')]), finish(run('g', 3), 'b', 'FAILED'), _dispatch(array[at(run('g', 3), 'b')]), finish(run('g', 3), 'b', 'FAILED');
select tell(pg_temp.attempt(run('g', 3), 'b', 1), 'SUCCESS');
select is(picture(run('g', 3)), 'FAILED | a SUCCESS | b FAILED | c SKIPPED', 'a later attempt failed for good: recorded only');
select is((select count(*)::int from graph_run where run_key = '3'), 1, 'no correction of an earlier attempt');

-- found by the tool's own id, bound by the failure
select pg_temp.given_failed('4');
select launch_graph('g', run_key => '5'), finish(run('g', 5), 'a'), tell(at(run('g', 5), 'b'), 'FAILED', ext => 'x1');
select is(say('b', 'SUCCESS', '5', ext => 'x1'), pg_temp.attempt(run('g', 5), 'b', 1), 'by external_id');
select is(state(pg_temp.attempt(run('g', 5), 'b', 2)), 'SUCCESS late', 'ends the attempt that waits');
select is((select external_id from task_run where id = pg_temp.attempt(run('g', 5), 'b', 2)), null, 'whose own execution never was');

-- after a time-out, and a service that echoes ids: found as one that we ended
update service set echoes_ids = true where name = 'airflow';
select launch_graph('g', run_key => '6'), finish(run('g', 6), 'a');
update task_run set status = 'FAILED', reason = 'timeout' where id = at(run('g', 6), 'b');
select is(picture(run('g', 6)), 'RUNNING | a SUCCESS | b QUEUED | c -', 'a time-out has another attempt');
select is(say('b', 'SUCCESS', '6'), pg_temp.attempt(run('g', 6), 'b', 1), 'by rule 5');
select is(picture(run('g', 6)), 'RUNNING | a SUCCESS | b SUCCESS | c DISPATCHED', 'ends the attempt that waits');
select is((select awaits_tool from task_run where id = pg_temp.attempt(run('g', 6), 'b', 1)), false, 'and is the end we owed');

-- other ends and states of the earlier attempt change nothing
select launch_graph('g', run_key => '7'), finish(run('g', 7), 'a'), finish(run('g', 7), 'b', 'FAILED');
select tell(pg_temp.attempt(run('g', 7), 'b', 1), s) from unnest(array['FAILED', 'SKIPPED', 'RUNNING', 'ACCEPTED']) s;
select is(picture(run('g', 7)), 'RUNNING | a SUCCESS | b QUEUED | c -', 'anything but SUCCESS: recorded only');

-- a task run alone
insert into task_run (task_id, run_key) values (task_id('b'), 'alone');
select tell((select id from task_run where run_key = 'alone'), 'FAILED');
select _dispatch(array(select id from task_run where run_key = 'alone' and status = 'QUEUED'));
select tell((select id from task_run where run_key = 'alone' and attempt = 2), 'FAILED');
select tell((select id from task_run where run_key = 'alone' and attempt = 1), 'SUCCESS');
select is((select string_agg(format('%s %s', attempt, state(id)), ', ' order by id) from task_run where run_key = 'alone'), '1 FAILED, 2 FAILED, 3 SUCCESS late', 'a task run alone');
insert into task_run (task_id, run_key) values (task_id('b'), 'other');
select tell((select id from task_run where run_key = 'other'), 'FAILED'), tell((select id from task_run where run_key = 'alone' and attempt = 1), 'SUCCESS');
select is((select string_agg(format('%s %s', attempt, state(id)), ', ' order by id) from task_run where run_key = 'other'), '1 FAILED, 2 QUEUED', 'never that of another execution');
-- a root: its late success crosses into other graphs, as any
select given_graph('h', 'c -> d');
select is(pictures('h'), null, 'nothing yet');
select finish(run('g', 7), 'b');
update task set max_attempts = 2 where name = 'c';
select finish(run('g', 7), 'c', 'FAILED'), tell(pg_temp.attempt(run('g', 7), 'c', 1), 'SUCCESS');
select is(pictures('h'), 'RUNNING | c SUCCESS | d DISPATCHED', 'the success of the attempt crosses');
select is(tap.at(run('h'), 'c'), pg_temp.attempt(run('g', 7), 'c', 2), 'the attempt that ended late');
select is((select status from graph_run where id = run('g', 7)), 'SUCCESS', 'and its run succeeds');
select is(letters(), 'none', 'no dead letter');
