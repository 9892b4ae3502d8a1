-- SPEC 4.3: where a redone task run stood in a run P of another graph, that graph's new run takes over P from it.
select plan(13);

select given_acceptance(), given_graph('line', '6 -> 7 -> [8, 9]'), given_graph('integration', '4 -> 6');
-- without key
select say('1', 'SUCCESS');
select finish(run('integration'), '4'); select finish(run('integration'), '6');
select is(pictures('line'), 'RUNNING | 6 SUCCESS | 7 DISPATCHED | 8 - | 9 -', 'P: 7 in flight');
select say('1', 'SUCCESS');
select finish(run('integration', 2), '4'); select finish(run('integration', 2), '6');
select isnt(at(run('integration', 2), '6'), at(run('integration', 1), '6'), '6 is redone in B');
select is(at(run('line', 2), '6'), at(run('integration', 2), '6'), 'and crosses');
select is((select replaces_id from graph_run where id = run('line', 2)), run('line', 1), 'the other graph''s new run takes over P from it');
select is(picture(run('line', 1)), 'RUNNING | 6 SUCCESS | 7 DISPATCHED | 8 SKIPPED | 9 SKIPPED', 'what P had not started is SKIPPED there');
select is(picture(run('line', 2)), 'RUNNING | 6 SUCCESS | 7 DISPATCHED | 8 - | 9 -', 'and done anew');
select finish(run('line', 1), '7');
select is(picture(run('line', 1)), 'SUCCESS | 6 SUCCESS | 7 SUCCESS | 8 SKIPPED | 9 SKIPPED', 'P ends');
-- with key
select say('1', 'SUCCESS', 'k');
select finish(run('integration', 3), '4'); select finish(run('integration', 3), '6'); select finish(run('line', 3), '7');
select is(picture(run('line', 3)), 'RUNNING | 6 SUCCESS | 7 SUCCESS | 8 DISPATCHED | 9 DISPATCHED', 'with key: P');
select say('1', 'SUCCESS', 'k');
select finish(run('integration', 4), '4'); select finish(run('integration', 4), '6');
select is((select replaces_id from graph_run where id = run('line', 4)), run('line', 3), 'taken over from 6');
select is(picture(run('line', 4)), 'RUNNING | 6 SUCCESS | 7 DISPATCHED | 8 - | 9 -', 'done anew');
select is(picture(run('line', 3)), 'RUNNING | 6 SUCCESS | 7 SUCCESS | 8 DISPATCHED | 9 DISPATCHED', 'P keeps what it started');
-- a task that is not redone is shared and crosses no second time
select count(*) from (select say('5', 'SUCCESS', 'k')) x;
select is((select count(*)::int from graph_run where graph_id = graph_id('line')), 4, 'sharing 6 opens nothing');
select is((select count(*)::int from graph_run_task_run where task_run_id = at(run('integration', 4), '6')), 2, '6 stands in two runs');
