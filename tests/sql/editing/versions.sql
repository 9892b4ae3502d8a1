-- SPEC 4.5: a graph run finishes under the version it started with; editing never strands, doubles or cancels work.
select plan(23);
set local tap.edited = 'on';

select given_graph('g', 'a -> b -> c');
select launch_graph('g');
select given_graph('g', 'b -> d', 'c -> e', 'x -> b');
select is(picture(run('g', 1)), 'RUNNING | a DISPATCHED | b - | c -', 'chains that come later are not in the run');
select is(picture(launch_graph('g')), 'RUNNING | a DISPATCHED | b - | c - | d - | e - | x DISPATCHED', 'the next run has them');
select finish(run('g', 1), 'a');
select is(picture(run('g', 1)), 'RUNNING | a SUCCESS | b DISPATCHED | c -', 'b does not wait for x there');
select finish(run('g', 2), 'a');
select is(picture(run('g', 2)), 'RUNNING | a SUCCESS | b - | c - | d - | e - | x DISPATCHED', 'but here');
select finish(run('g', 1), 'b');
select is(picture(run('g', 1)), 'RUNNING | a SUCCESS | b SUCCESS | c DISPATCHED', 'd is not started there');
delete from graph_chain where chain_id in (chain_id('b', 'c'), chain_id('b', 'd'), chain_id('c', 'e'));
delete from chain where id in (chain_id('b', 'c'), chain_id('c', 'e'));
select finish(run('g', 2), 'x');
select finish(run('g', 2), 'b');
select is(picture(run('g', 2)), 'RUNNING | a SUCCESS | b SUCCESS | c DISPATCHED | d DISPATCHED | e - | x SUCCESS', 'chains that were deleted are in the run still');
select finish(run('g', 2), 'c');
select is(picture(run('g', 2)), 'RUNNING | a SUCCESS | b SUCCESS | c SUCCESS | d DISPATCHED | e DISPATCHED | x SUCCESS', 'to the end');
select is(picture(launch_graph('g')), 'RUNNING | a DISPATCHED | b - | x DISPATCHED', 'and not in the next');
select finish_all('g');
select is((select count(*)::int from graph_run where status = 'SUCCESS'), 3, 'all end');

-- template, name and topic are read at dispatch
select launch_graph('g');
update task set config_template = '{"n": 2}', name = 'b2' where name = 'b';
update service set dispatch_topic = 'moved' where name = 'airflow';
select finish(run('g', 4), 'a'); select finish(run('g', 4), 'x');
select is((select d.topic || ' ' || (d.value::jsonb ->> 'task') || ' ' || (d.value::jsonb -> 'config')::text from dispatch d where d.task_run_id = at(run('g', 4), 'b2')), 'moved b2 {"n": 2}', 'template, name and topic are those of the dispatch''s time');

-- a chain turned round; the root's role changes
select given_graph('h', 'p -> q');
select launch_graph('h');
update chain set previous_task_id = next_task_id, next_task_id = previous_task_id where id = chain_id('p', 'q');
select finish(run('h', 1), 'p');
select is(picture(run('h', 1)), 'RUNNING | p SUCCESS | q DISPATCHED', 'a chain turned round: the run goes the old way');
select is(picture(launch_graph('h')), 'RUNNING | p - | q DISPATCHED', 'the next the new one');
select is((select count(*)::int from graph_run where graph_id = graph_id('h')), 2, 'the old q did not open a run of its own');
select finish(run('h', 1), 'q');
select is((select count(*)::int from graph_run where graph_id = graph_id('h')), 2, 'nor its success: it is in a run of this graph already');

-- awaited roots of an old version
select given_task('r', 'nifi'), given_task('s', 'nifi'), given_graph('w', '[r, s] -> t');
select say('r', 'SUCCESS', 'k');
delete from graph_chain where chain_id = chain_id('s', 't');
select say('r', 'SUCCESS', 'n');
select is(picture(run('w', 2)), 'RUNNING | r SUCCESS | t DISPATCHED', 'the new version does not know s');
select is(say('s', 'SUCCESS', 'k'), at(run('w', 1), 's'), 'the old run still gets it');
select is(picture(run('w', 1)), 'RUNNING | r SUCCESS | s SUCCESS | t DISPATCHED', 'and goes on');
-- a take-over is under the current version
select say('r', 'SUCCESS', 'k');
select is(picture(run('w', 3)), 'RUNNING | r SUCCESS | t DISPATCHED', 'a correction runs under the current version');
select is((select replaces_id from graph_run where id = run('w', 3)), run('w', 1), 'taking over the old one');

-- one version for many edits of one transaction; none without edits
create temp table versions as select count(*) as n from graph_version where graph_id = graph_id('h');
select launch_graph('h'), launch_graph('h');
select is((select count(*) from graph_version where graph_id = graph_id('h')), (select n from versions), 'no edit: no new version');
select given_graph('h', 'p -> u', 'u -> v');
update task set timeout = '1 hour' where name = 'p';
select launch_graph('h');
select is((select count(*) from graph_version where graph_id = graph_id('h')), (select n + 1 from versions), 'many edits: one');

-- a next task that can no longer be sent to, in an old version only
select given_service('gone', 'gone_tasks'), given_task('m', 'gone'), given_graph('o', 'l -> m', 'm -> n');
select launch_graph('o');
delete from graph_chain where chain_id in (chain_id('l', 'm'), chain_id('m', 'n')); delete from chain where id in (chain_id('l', 'm'), chain_id('m', 'n'));
update service set dispatch_topic = null where name = 'gone';
select finish(run('o'), 'l');
select is(picture(run('o')), 'FAILED | l SUCCESS | m FAILED | n SKIPPED', 'nothing can be sent to m any more: FAILED, and the run ends');
select is(state(at(run('o'), 'm')), 'FAILED config', 'reason config');
