-- SPEC 4.3: what the old run had started ends there; what it had not started is SKIPPED there and stays so: the end of a task in flight starts
-- nothing that a take-over skipped.
select plan(20);

select given_acceptance(), given_graph('integration', '4 -> 6', '4 -> w', '2 -> w');
-- without key
select say('1', 'SUCCESS'); select say('1', 'SUCCESS');
select is(picture(run('integration', 1)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 SKIPPED | 4 DISPATCHED | 5 SKIPPED | 6 SKIPPED | w SKIPPED', 'A: 2 and 4 are in flight, 6 and w are skipped');
select lives_ok(format('select tell(%s, %L)', at(run('integration', 1), '4'), 'SUCCESS'), '4 ends in A');
select is(picture(run('integration', 1)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 SKIPPED | 4 SUCCESS | 5 SKIPPED | 6 SKIPPED | w SKIPPED', '6 stays SKIPPED there');
select is((select count(*)::int from task_run where task_id = task_id('6')), 1, 'and is not started');
select lives_ok(format('select tell(%s, %L)', at(run('integration', 1), '2'), 'SUCCESS'), '2 ends in A');
select is(picture(run('integration', 1)), 'SUCCESS | 1 SUCCESS | 2 SUCCESS | 3 SKIPPED | 4 SUCCESS | 5 SKIPPED | 6 SKIPPED | w SKIPPED', 'w, whose predecessors have both succeeded, stays SKIPPED');
select is((select reason from graph_run where id = run('integration', 1)), 'coalesced', 'A ends bearing the reason');
select lives_ok(format('select tell(%s, %L)', at(run('integration', 2), '4'), 'SUCCESS'), '4 ends in B');
select is(picture(run('integration', 2)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 SUCCESS | 5 awaited | 6 DISPATCHED | w -', 'and starts 6 there');
select finish(run('integration', 2), '2');
select is(picture(run('integration', 2)), 'RUNNING | 1 SUCCESS | 2 SUCCESS | 3 - | 4 SUCCESS | 5 awaited | 6 DISPATCHED | w DISPATCHED', 'and w');
-- a failure in A
select say('1', 'SUCCESS');
select lives_ok(format('select tell(%s, %L)', at(run('integration', 2), '6'), 'FAILED'), '6 fails in B, taken over');
-- with key
select say('1', 'SUCCESS', 'k'); select say('5', 'SUCCESS', 'k'); select say('1', 'SUCCESS', 'k');
select is(picture(run('integration', 4)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS | 6 SKIPPED | w SKIPPED', 'with key: 3 is in flight in the old run too');
select lives_ok(format('select tell(%s, %L)', at(run('integration', 4), '4'), 'SUCCESS'), '4 ends in the old run');
select lives_ok(format('select tell(%s, %L)', at(run('integration', 4), '2'), 'SUCCESS'), '2 too');
select lives_ok(format('select tell(%s, %L)', at(run('integration', 4), '3'), 'SUCCESS'), '3 too');
select is(picture(run('integration', 4)), 'SUCCESS | 1 SUCCESS | 2 SUCCESS | 3 SUCCESS | 4 SUCCESS | 5 SUCCESS | 6 SKIPPED | w SKIPPED', 'it ends');
select finish_all('integration');
select is((select picture(id) from graph_run where run_key = 'k' order by id desc limit 1), 'SUCCESS | 1 SUCCESS | 2 SUCCESS | 3 SUCCESS | 4 SUCCESS | 5 SUCCESS | 6 SUCCESS | w SUCCESS', 'so does the new one, whole');
-- by events alone, as tools do that cannot echo ids
select say('1', 'SUCCESS', 'n'); select say('1', 'SUCCESS', 'n');
select lives_ok($$ select say('4', 'SUCCESS', 'n') $$, 'the first end of 4');
select lives_ok($$ select say('4', 'SUCCESS', 'n') $$, 'the second');
select is((select count(*)::int from task_run where task_id = task_id('6') and run_key = 'n' and status = 'DISPATCHED'), 1, 'start 6 once');
