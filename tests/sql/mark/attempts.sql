-- SPEC 4.4, 4.6: what a person ends is final, no retry follows; an attempt that another followed is not marked; reruns and retries.
select plan(21);

select given_graph('g', 'a -> b', 'x -> y');
update task set max_attempts = 3, retry_delay = '1 minute' where name in ('a', 'x');
select clock('2026-11-22T03:00:00Z');
select launch_graph('g');
select finish(run('g'), 'a', 'FAILED');
select is(picture(run('g')), 'RUNNING | a QUEUED | b - | x DISPATCHED | y -', 'a waits for its second attempt');
create temp table first as select task_run_id as id from graph_run_task_run where graph_run_id = run('g') and task_id = task_id('a') and attempt = 1;
select refuses(format($$ select mark_task_run(%s, 'SUCCESS') $$, (select id from first)), 'OR307', format('task run %s is a later attempt', at(run('g'), 'a')), 'the first attempt is not marked while a later one stands for the task');
select mark_task_run(at(run('g'), 'a'), 'SUCCESS', 'seen');
select is(picture(run('g')), 'RUNNING | a SUCCESS | b DISPATCHED | x DISPATCHED | y -', 'the QUEUED one is marked: b starts');
select is(state(at(run('g'), 'a')), 'SUCCESS marked', 'marked');
select mark_task_run(at(run('g'), 'x'), 'FAILED');
select is(picture(run('g')), 'RUNNING | a SUCCESS | b DISPATCHED | x FAILED | y SKIPPED', 'FAILED by hand is final though attempts are left');
select launch_graph('g');
select cancel_task_run(at(run('g', 2), 'a'));
select is(picture(run('g', 2)), 'RUNNING | a CANCELLED | b SKIPPED | x DISPATCHED | y -', 'so is CANCELLED');
select finish(run('g', 2), 'x', 'FAILED');
select is(picture(run('g', 2)), 'RUNNING | a CANCELLED | b SKIPPED | x QUEUED | y -', 'x waits for a retry');
select cancel_task_run(at(run('g', 2), 'x'));
select is(picture(run('g', 2)), 'CANCELLED | a CANCELLED | b SKIPPED | x CANCELLED | y SKIPPED', 'a QUEUED one is cancelled');
-- a rerun shares all attempts; the retry is for both
select launch_graph('g');
select finish(run('g', 3), 'x', 'FAILED');
select rerun(run('g', 3), array['a']);
select is(pictures('g'), concat_ws(E'\n', picture(run('g', 1)), picture(run('g', 2)), 'RUNNING | a DISPATCHED | b SKIPPED | x QUEUED | y SKIPPED', 'RUNNING | a DISPATCHED | b - | x QUEUED | y -'), 'the retry of x is shared');
select is(at(run('g', 4), 'x'), at(run('g', 3), 'x'), 'the same one');
select is((select count(*)::int from graph_run_task_run where graph_run_id = run('g', 4) and task_id = task_id('x')), 2, 'both attempts are linked');
select finish(run('g', 3), 'x');
select is(picture(run('g', 3)) || '; ' || picture(run('g', 4)), 'RUNNING | a DISPATCHED | b SKIPPED | x SUCCESS | y SKIPPED; RUNNING | a DISPATCHED | b - | x SUCCESS | y DISPATCHED', 'its end is told to both');
-- a retry of what is redone is not sent any more in the old run
select launch_graph('g');
select finish(run('g', 5), 'x', 'FAILED');
select rerun(run('g', 5), array['x']);
select is(picture(run('g', 5)) || '; ' || picture(run('g', 6)), 'RUNNING | a DISPATCHED | b SKIPPED | x SKIPPED | y SKIPPED; RUNNING | a DISPATCHED | b - | x DISPATCHED | y -', 'the retry in the old run is superseded');
select is(state(at(run('g', 5), 'x')), 'SKIPPED superseded', 'with its reason');
select is((select attempt from task_run where id = at(run('g', 6), 'x')), 1, 'the new run counts attempts anew');
select finish(run('g', 6), 'a'); select finish(run('g', 6), 'b');
select is((select status from graph_run where id = run('g', 5)), 'SUCCESS', 'the old run ends by its last attempts: x SKIPPED');
-- cancelling a run cancels its retries, unless an open run shares them
select launch_graph('g');
select finish(run('g', 7), 'x', 'FAILED'); select rerun(run('g', 7), array['a']);
select cancel_graph_run(run('g', 7));
select is(picture(run('g', 7)) || '; ' || picture(run('g', 8)), 'CANCELLED | a CANCELLED | b SKIPPED | x QUEUED | y SKIPPED; RUNNING | a DISPATCHED | b - | x QUEUED | y -', 'the other run shares the retry');
select cancel_graph_run(run('g', 8));
select is(state(at(run('g', 8), 'x')), 'CANCELLED cancelled', 'until it is cancelled too');
-- rerun of what failed counts the last attempt only
select launch_graph('g');
select finish(run('g', 9), 'x', 'FAILED');
select refuses(format('select rerun(%s)', run('g', 9)), 'OR308', 'nothing failed', 'an attempt that is tried again has not failed');
update task set max_attempts = 1 where name = 'x';
select mark_task_run(at(run('g', 9), 'x'), 'FAILED');
select is(picture(rerun(run('g', 9))), 'RUNNING | a DISPATCHED | b - | x DISPATCHED | y -', 'once the last one has it has');
select is((select count(*)::int from task_run t where t.status = 'QUEUED'), 0, 'nothing is left waiting');
