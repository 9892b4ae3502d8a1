-- SPEC 4.3, the row `latest` of the table, word by word: 1a, 1b, 5a, 5b without key on [1, 5] -> 3, 1 -> 2, 1 -> 4.
select plan(38);

select given_acceptance();
create temp table r1a as select say('1', 'SUCCESS') as id;
select is(pictures('integration'), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited', '1a: run A; 2 and 4 start');
create temp table r1b as select say('1', 'SUCCESS') as id;
select isnt((select id from r1b), (select id from r1a), '1b is an execution of its own');
select is(pictures('integration'),
          E'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 SKIPPED | 4 DISPATCHED | 5 SKIPPED\nRUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited',
          '1b, A still awaiting 5: B takes over from 1: 2 and 4 again, the wait for 3 is B''s');
select is(at(run('integration', 1), '1'), (select id from r1a), 'A keeps 1a');
select is(at(run('integration', 2), '1'), (select id from r1b), 'B has 1b');
select isnt(at(run('integration', 2), '2'), at(run('integration', 1), '2'), '2 is a new task run');
select is((select (a.replaced_by_id = b.id, b.replaces_id = a.id)::text from graph_run a, graph_run b where a.id = run('integration', 1) and b.id = run('integration', 2)), '(t,t)', 'the runs name each other');
select is(state(at(run('integration', 1), t.name)), 'SKIPPED coalesced', t.name || ': what A had not started is SKIPPED there, coalesced') from (values ('3'), ('5')) t(name);
select matches((select detail from task_run where id = at(run('integration', 1), t.name)), format('graph run %s\M', run('integration', 2)), t.name || ': naming B') from (values ('3'), ('5')) t(name);
select is((select status from graph_run where id = run('integration', 1)), 'RUNNING', 'what A had started ends there');
select is(say('5', 'SUCCESS'), at(run('integration', 2), '5'), '5a joins B');
select is(pictures('integration'),
          E'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 SKIPPED | 4 DISPATCHED | 5 SKIPPED\nRUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS',
          '5a: 3 starts in B, once, with 1b and 5a');
select say('5', 'SUCCESS');
select is(pictures('integration'),
          E'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 SKIPPED | 4 DISPATCHED | 5 SKIPPED\nRUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS\nRUNNING | 1 awaited | 2 - | 3 - | 4 - | 5 SUCCESS',
          '5b: nothing awaits 5, so run C, awaiting 1');
select is((select replaces_id from graph_run where id = run('integration', 3)), null, 'which is simply new');
select is((select count(*)::int from dispatch d join task_run t on t.id = d.task_run_id where t.task_id = task_id('3')), 1, '3 was sent once');
select is((select count(*)::int from dispatch d join task_run t on t.id = d.task_run_id where t.task_id in (task_id('2'), task_id('4'))), 4, '2 and 4 twice');
-- the ends
select finish(run('integration', 1), '2'), finish(run('integration', 1), '4');
select is((select status || ' ' || reason from graph_run where id = run('integration', 1)), 'SUCCESS coalesced', 'A ends by 4.2 and bears the reason');
select finish(run('integration', 2), '2'), finish(run('integration', 2), '4'), finish(run('integration', 2), '3');
select is((select status || coalesce(' ' || reason, '') from graph_run where id = run('integration', 2)), 'SUCCESS', 'B ends as any run');
select say('1', 'SUCCESS');
select is(picture(run('integration', 3)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS', 'the next 1 completes C');
select finish_all('integration');
select is((select count(*)::int from graph_run where status = 'SUCCESS'), 3, 'all ended');

-- if A awaits nothing, B is simply new
select say('1', 'SUCCESS');
select say('5', 'SUCCESS');
select is(picture(run('integration', 4)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS', 'a run that awaits nothing');
select say('1', 'SUCCESS');
select is(picture(run('integration', 4)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS', 'goes on as it is');
select is((select (replaces_id, reason)::text from graph_run where id = run('integration', 5)), '(,)', 'beside a new one');
-- at most one event-opened run awaits roots: a long row of repeats
select say('1', 'SUCCESS') from generate_series(1, 10);
select is((select count(distinct graph_run_id)::int from awaited_root), 1, 'after 10 more one run awaits roots');
select is((select count(*)::int from graph_run where graph_id = graph_id('integration')), 15, 'a run each');
select is((select count(*)::int from graph_run where replaced_by_id is not null), 11, 'each but the last taken over');
select is(say('5', 'SUCCESS'), at(run('integration', 15), '5'), '5 joins the last');
select is((select count(*)::int from task_run where task_id = task_id('3') and status = 'DISPATCHED'), 2, '3 is started in it only (and in the one before the row)');
select finish_all('integration');
select is((select count(*)::int from graph_run where status <> 'SUCCESS'), 0, 'all end');
select is((select count(*)::int from graph_run where reason = 'coalesced'), 11, 'eleven bear the reason');
-- what A had started in flight is not shared with B, except what is not downstream
select say('5', 'SUCCESS');
select say('5', 'SUCCESS');
select is(picture(run('integration', 16)), 'SUCCESS | 1 SKIPPED | 2 SKIPPED | 3 SKIPPED | 4 SKIPPED | 5 SUCCESS', '5a, 5b: A has nothing left and ends');
select is((select reason from graph_run where id = run('integration', 16)), 'coalesced', 'bearing the reason');
select is(picture(run('integration', 17)), 'RUNNING | 1 awaited | 2 - | 3 - | 4 - | 5 SUCCESS', 'B awaits 1');
select is(letters(), 'none', 'no dead letter');
-- a single root, without key: every event is a run
select given_graph('line', '6 -> 7');
select say('6', 'SUCCESS') from generate_series(1, 3);
select is(pictures('line'), E'RUNNING | 6 SUCCESS | 7 DISPATCHED\nRUNNING | 6 SUCCESS | 7 DISPATCHED\nRUNNING | 6 SUCCESS | 7 DISPATCHED', 'nothing is awaited: each is simply new');
select is((select count(*)::int from graph_run where graph_id = graph_id('line') and replaces_id is not null), 0, 'and replaces none');
