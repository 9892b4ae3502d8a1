-- SPEC 4.6: a new attempt stands in the same open runs as the one that failed.
select plan(16);

select given_task('1', 'nifi'), given_task('5', 'nifi'), given_graph('g', '1 -> 2', '[1, 5] -> 3', '1 -> 4', '5 -> 6 -> 7');
update task set max_attempts = 3 where name in ('2', '6');

-- taken over: 6 of run A is shared by B
select say('5', 'SUCCESS'), say('1', 'SUCCESS', 'x'), say('5', 'SUCCESS', 'x');
select say('1', 'SUCCESS', 'x');
select is(pictures('g'), E'RUNNING | 1 awaited | 2 - | 3 - | 4 - | 5 SUCCESS | 6 DISPATCHED | 7 -\n'
    'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS | 6 DISPATCHED | 7 SKIPPED\n'
    'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS | 6 DISPATCHED | 7 -', 'B shares 6 of A');
select tell(at(run('g', 2), '6'), 'FAILED');
select is((select (attempt, status, shared, graph_run_id)::text from task_run where id = at(run('g', 2), '6')), format('(2,QUEUED,t,%s)', run('g', 2)), 'a new attempt at home');
select is(at(run('g', 3), '6'), at(run('g', 2), '6'), 'and in B, the same');
select is((select count(*)::int from task_run where retry_of_id is not null), 1, 'one');
select _dispatch(array[at(run('g', 3), '6')]);
select is((select d.value::jsonb -> 'graph_run_ids' from dispatch d where d.task_run_id = at(run('g', 3), '6')), jsonb_build_array(run('g', 2), run('g', 3)), 'its dispatch names both');
-- the home ends first (cancelled): what fails then lives on in B alone
update graph_run set status = 'CANCELLED' where id = run('g', 2);
select is((select status from task_run where id = at(run('g', 3), '6')), 'DISPATCHED', 'still needed by B');
select tell(at(run('g', 3), '6'), 'FAILED');
select is((select (attempt, status, shared, graph_run_id)::text from task_run where id = at(run('g', 3), '6')), format('(3,QUEUED,f,%s)', run('g', 3)), 'the next attempt stands in the open run alone');
select is((select max(attempt) from graph_run_task_run where graph_run_id = run('g', 2) and task_id = task_id('6')), 2, 'none in the ended one');
select _dispatch(array[at(run('g', 3), '6')]);
select tell(at(run('g', 3), '6'), 'SUCCESS');
select is(picture(run('g', 3)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS | 6 SUCCESS | 7 DISPATCHED', 'its success goes on in B');

-- taken over while an attempt waits: all attempts are shared, the wait too
select say('5', 'SUCCESS', 'y'), say('1', 'SUCCESS', 'y');
select tell(at(run('g', 4), '6'), 'FAILED');
select say('1', 'SUCCESS', 'y');
select is(at(run('g', 5), '6'), at(run('g', 4), '6'), 'the attempt that waits is shared');
select is((select shared from task_run where id = at(run('g', 5), '6')), true, 'and knows it');
select is((select array_agg(attempt order by attempt) from graph_run_task_run where graph_run_id = run('g', 5) and task_id = task_id('6')), array[1, 2], 'both attempts');
select _dispatch(array[at(run('g', 5), '6')]);
select tell(at(run('g', 5), '6'), 'SUCCESS');
select is((select status from task_run where id = at(run('g', 5), '7')), 'DISPATCHED', 'it goes on in the new run');
select is((select state(at(run('g', 4), '7'))), 'SKIPPED coalesced', 'not in the old one');

-- failed for good in both
select say('5', 'SUCCESS', 'z'), say('1', 'SUCCESS', 'z'), say('1', 'SUCCESS', 'z');
update task set max_attempts = 1 where name = '6';
select tell(at(run('g', 7), '6'), 'FAILED');
select is((select string_agg(state(at(run('g', n), '7')), ', ' order by n) from generate_series(6, 7) n), 'SKIPPED coalesced, SKIPPED upstream', 'no attempt left: final in both');
select is((select count(*)::int from task_run where task_id = task_id('6') and run_key = 'z'), 1, 'no other');
