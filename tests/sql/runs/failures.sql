-- SPEC 4.2: FAILED with no attempt left, SKIPPED or CANCELLED: everything downstream in that run is SKIPPED with the reason and stays so;
-- independent branches go on. A run ends when every task of it has: FAILED if any is FAILED, else CANCELLED if any is, else SUCCESS.
select plan(31);

select given_graph('g', 'a -> b -> c -> d', 'a -> e -> f', '[c, f] -> z');
select launch_graph('g');
select finish(run('g'), 'a');
select is(pictures('g'), 'RUNNING | a SUCCESS | b DISPATCHED | c - | d - | e DISPATCHED | f - | z -', 'two branches');
select tell(at(run('g'), 'b'), 'FAILED', detail => 'no space', result => '{"line": 7}');
select is(pictures('g'), 'RUNNING | a SUCCESS | b FAILED | c SKIPPED | d SKIPPED | e DISPATCHED | f - | z SKIPPED', 'what is downstream is SKIPPED, the other branch goes on');
select is((select (detail, result)::text from task_run where id = at(run('g'), 'b')), '("no space","{""line"": 7}")', 'the failure keeps its words');
select is(state(at(run('g'), t.name)), 'SKIPPED upstream', t.name || ': the reason') from (values ('c'), ('d'), ('z')) t(name);
select matches((select detail from task_run where id = at(run('g'), t.name)), 'b ended FAILED', t.name || ': names the task that failed') from (values ('c'), ('d'), ('z')) t(name);
select isnt((select finished_at from task_run where id = at(run('g'), 'd')), null, 'finished_at is set on what was skipped');
select is((select count(*)::int from dispatch d where d.task_run_id in (at(run('g'), 'c'), at(run('g'), 'd'), at(run('g'), 'z'))), 0, 'nothing is sent for them');
select finish(run('g'), 'e');
select finish(run('g'), 'f');
select is(pictures('g'), 'FAILED | a SUCCESS | b FAILED | c SKIPPED | d SKIPPED | e SUCCESS | f SUCCESS | z SKIPPED', 'z stays SKIPPED, and the run is FAILED');
select isnt((select finished_at from graph_run where id = run('g')), null, 'ended');
select is(state(at(run('g'), 'e')), 'SUCCESS', 'the good branch is what it was');

-- SKIPPED by the tool
select launch_graph('g');
select finish(run('g', 2), 'a');
select finish(run('g', 2), 'e', 'SKIPPED');
select is(picture(run('g', 2)), 'RUNNING | a SUCCESS | b DISPATCHED | c - | d - | e SKIPPED | f SKIPPED | z SKIPPED', 'SKIPPED skips what is downstream');
select matches((select detail from task_run where id = at(run('g', 2), 'f')), 'e ended SKIPPED', 'naming it');
select finish(run('g', 2), 'b'); select finish(run('g', 2), 'c'); select finish(run('g', 2), 'd');
select is(picture(run('g', 2)), 'SUCCESS | a SUCCESS | b SUCCESS | c SUCCESS | d SUCCESS | e SKIPPED | f SKIPPED | z SKIPPED', 'SKIPPED is no failure: the run is SUCCESS');

-- CANCELLED by hand
select launch_graph('g');
select finish(run('g', 3), 'a');
update task_run set status = 'CANCELLED' where id = at(run('g', 3), 'e');
select is(picture(run('g', 3)), 'RUNNING | a SUCCESS | b DISPATCHED | c - | d - | e CANCELLED | f SKIPPED | z SKIPPED', 'CANCELLED skips what is downstream');
select finish(run('g', 3), 'b'); select finish(run('g', 3), 'c'); select finish(run('g', 3), 'd');
select is((select status from graph_run where id = run('g', 3)), 'CANCELLED', 'CANCELLED if any is, and none FAILED');
select launch_graph('g');
select finish(run('g', 4), 'a');
update task_run set status = 'CANCELLED' where id = at(run('g', 4), 'e');
select finish(run('g', 4), 'b', 'FAILED');
select is(picture(run('g', 4)), 'FAILED | a SUCCESS | b FAILED | c SKIPPED | d SKIPPED | e CANCELLED | f SKIPPED | z SKIPPED', 'FAILED comes before CANCELLED');
-- the root
select launch_graph('g');
select finish(run('g', 5), 'a', 'FAILED');
select is(picture(run('g', 5)), 'FAILED | a FAILED | b SKIPPED | c SKIPPED | d SKIPPED | e SKIPPED | f SKIPPED | z SKIPPED', 'a failed root ends the run');
select launch_graph('g');
select finish(run('g', 6), 'a', 'SKIPPED');
select is(picture(run('g', 6)), 'SUCCESS | a SKIPPED | b SKIPPED | c SKIPPED | d SKIPPED | e SKIPPED | f SKIPPED | z SKIPPED', 'a run that skipped everything is SUCCESS');

-- a join whose one predecessor succeeded before the other failed, and the other way round
select given_graph('j', 'p -> t', 'q -> t', 't -> u');
select launch_graph('j');
select finish(run('j'), 'p'); select finish(run('j'), 'q', 'FAILED');
select is(picture(run('j')), 'FAILED | p SUCCESS | q FAILED | t SKIPPED | u SKIPPED', 'success, then failure');
select launch_graph('j');
select finish(run('j', 2), 'q', 'FAILED'); select finish(run('j', 2), 'p');
select is(picture(run('j', 2)), 'FAILED | p SUCCESS | q FAILED | t SKIPPED | u SKIPPED', 'failure, then success');
select launch_graph('j');
select finish(run('j', 3), 'q', 'FAILED'); select finish(run('j', 3), 'p', 'FAILED');
select is(picture(run('j', 3)), 'FAILED | p FAILED | q FAILED | t SKIPPED | u SKIPPED', 'two failures skip it once');
select is((select count(*)::int from task_run where task_id = task_id('t')), 3, 'one task run of t each run');
select matches((select detail from task_run where id = at(run('j', 3), 't')), 'q ended FAILED', 'the first failure is named');
-- both in one statement
select launch_graph('j');
update task_run set status = case when task_id = task_id('p') then 'SUCCESS' else 'FAILED' end where id in (at(run('j', 4), 'p'), at(run('j', 4), 'q'));
select is(picture(run('j', 4)), 'FAILED | p SUCCESS | q FAILED | t SKIPPED | u SKIPPED', 'both in one statement');
select is(history(at(run('j', 4), 't')), '- > SKIPPED', 't was never started');
-- an ended run starts nothing
select is((select count(*)::int from dispatch d join task_run t on t.id = d.task_run_id where t.task_id in (task_id('t'), task_id('u'))), 0, 'nothing was sent for t or u');
select is((select count(*)::int from graph_run where status = 'RUNNING'), 0, 'no run is left open');
