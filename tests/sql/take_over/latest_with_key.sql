-- SPEC 4.3, with a key: a repeat is a correction: B takes over the newest run of that key from that root, also when that has ended.
-- Runs of different keys, or one without, never meet.
select plan(29);

select given_acceptance();
select say('1', 'SUCCESS', 'k'); select say('5', 'SUCCESS', 'k');
select finish_all('integration');
select is(pictures('integration'), 'SUCCESS | 1 SUCCESS | 2 SUCCESS | 3 SUCCESS | 4 SUCCESS | 5 SUCCESS', 'a run that has ended');
create temp table c1 as select say('1', 'SUCCESS', 'k') as id;
select is(picture(run('integration', 2)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS', 'B does everything downstream of 1 anew');
select is(at(run('integration', 2), '1'), (select id from c1), 'with the new 1');
select is(at(run('integration', 2), '5'), at(run('integration', 1), '5'), 'and A''s 5, which is not downstream');
select isnt(at(run('integration', 2), '3'), at(run('integration', 1), '3'), '3 is new');
select is(picture(run('integration', 1)), 'SUCCESS | 1 SUCCESS | 2 SUCCESS | 3 SUCCESS | 4 SUCCESS | 5 SUCCESS', 'A stays as it ended');
select is((select (a.replaced_by_id = b.id, b.replaces_id = a.id, a.reason is null)::text from graph_run a, graph_run b where a.id = run('integration', 1) and b.id = run('integration', 2)), '(t,t,t)', 'the runs name each other');
select is((select (run_key, opened_by)::text from graph_run where id = run('integration', 2)), '(k,event)', 'B has the key');
-- while in flight: from the other root
select finish(run('integration', 2), '2');
select say('5', 'SUCCESS', 'k');
select is(picture(run('integration', 3)), 'RUNNING | 1 SUCCESS | 2 SUCCESS | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS', 'C from 5: 1, 2 and 4 are shared in whatever state they are');
select is((select array_agg(at(run('integration', 3), t.name) = at(run('integration', 2), t.name) order by t.name) from (values ('1'), ('2'), ('3'), ('4'), ('5')) t(name)), array[true, true, false, true, false], 'the same task runs');
select is(picture(run('integration', 2)), 'RUNNING | 1 SUCCESS | 2 SUCCESS | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS', 'B keeps what it had started');
select finish(run('integration', 2), '4');
select is((select array_agg(distinct t.status) from task_run t where t.id in (at(run('integration', 2), '4'), at(run('integration', 3), '4'))), array['SUCCESS'], 'the end of a shared task counts in both');
select finish(run('integration', 2), '3');
select is(picture(run('integration', 2)), 'SUCCESS | 1 SUCCESS | 2 SUCCESS | 3 SUCCESS | 4 SUCCESS | 5 SUCCESS', 'B ends');
select is(picture(run('integration', 3)), 'RUNNING | 1 SUCCESS | 2 SUCCESS | 3 DISPATCHED | 4 SUCCESS | 5 SUCCESS', 'C goes on');
select finish(run('integration', 3), '3');
select is((select status from graph_run where id = run('integration', 3)), 'SUCCESS', 'to its end');

-- while A awaits
select say('1', 'SUCCESS', 'w'); select say('1', 'SUCCESS', 'w');
select is(picture(run('integration', 4)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 SKIPPED | 4 DISPATCHED | 5 SKIPPED', 'A, awaiting 5, is taken over');
select is(picture(run('integration', 5)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited', 'B awaits 5');
select say('5', 'SUCCESS', 'w');
select is(picture(run('integration', 5)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS', '3 starts in B');
select is(picture(run('integration', 4)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 SKIPPED | 4 DISPATCHED | 5 SKIPPED', 'and not in A');
select say('1', 'SUCCESS', 'w');
select is((select replaces_id from graph_run where id = run('integration', 6)), run('integration', 5), 'the newest run of the key is taken over, not the oldest');
-- a join in A that has succeeded in part
select given_graph('deep', 'p -> q -> z', 's -> t -> z', 'z -> end');
select say('p', 'SUCCESS', 'd'); select say('s', 'SUCCESS', 'd');
select finish(run('deep'), 'q');
select say('p', 'SUCCESS', 'd');
select is(picture(run('deep', 2)), 'RUNNING | end - | p SUCCESS | q DISPATCHED | s SUCCESS | t DISPATCHED | z -', 'B redoes p and q, and shares t in flight');
select finish(run('deep', 1), 't');
select is(pictures('deep'), E'SUCCESS | end SKIPPED | p SUCCESS | q SUCCESS | s SUCCESS | t SUCCESS | z SKIPPED\nRUNNING | end - | p SUCCESS | q DISPATCHED | s SUCCESS | t SUCCESS | z -', 'the shared t ends in both; z, not started in A, is B''s');
select finish(run('deep', 2), 'q');
select is(picture(run('deep', 2)), 'RUNNING | end - | p SUCCESS | q SUCCESS | s SUCCESS | t SUCCESS | z DISPATCHED', 'and starts when both are there');

-- different keys never meet
select say('1', 'SUCCESS', 'x'); select say('1', 'SUCCESS', 'y'); select say('1', 'SUCCESS');
select is((select count(*)::int from graph_run where run_key in ('x', 'y') and replaces_id is not null), 0, 'different keys take nothing over');
select is((select count(*)::int from graph_run where graph_id = graph_id('integration') and run_key is null and replaces_id is not null), 0, 'nor does one without key');
-- launched runs are not compared
select given_graph('line', '6 -> 7');
select launch_graph('line', run_key => 'k');
select finish(run('line'), '6');
select say('6', 'SUCCESS', 'k');
select is((select array_agg(replaces_id) from graph_run where graph_id = graph_id('line')), array[null, null]::bigint[], 'a launched run of that key is not taken over');
select is(pictures('line'), E'RUNNING | 6 SUCCESS | 7 DISPATCHED\nRUNNING | 6 SUCCESS | 7 DISPATCHED', 'but stands beside');
-- one root, with key: a correction too
select say('6', 'SUCCESS', 'k');
select is((select replaces_id from graph_run where id = run('line', 3)), run('line', 2), 'a single root with key: the repeat takes over the event-opened one');
select is(letters(), 'none', 'no dead letter');
