-- SPEC 4.3: B shares A's task runs that are not downstream of what is redone, in whatever state they are; what becomes of them counts in both.
select plan(20);

select given_task('p', 'nifi'), given_task('s', 'nifi'), given_graph('g', 'p -> q -> z', 's -> t -> z', 't -> u', 'z -> end');
-- the shared task fails
select say('p', 'SUCCESS', 'k'); select say('s', 'SUCCESS', 'k'); select say('p', 'SUCCESS', 'k');
select is(at(run('g', 1), 't'), at(run('g', 2), 't'), 't is shared');
select finish(run('g', 2), 't', 'FAILED');
select is(picture(run('g', 2)), 'RUNNING | end SKIPPED | p SUCCESS | q DISPATCHED | s SUCCESS | t FAILED | u SKIPPED | z SKIPPED', 'its failure counts in B');
select is(picture(run('g', 1)), 'RUNNING | end SKIPPED | p SUCCESS | q DISPATCHED | s SUCCESS | t FAILED | u SKIPPED | z SKIPPED', 'and in A');
select finish(run('g', 1), 'q'); select finish(run('g', 2), 'q');
select is((select array_agg(concat_ws(' ', status, reason) order by id) from graph_run), array['FAILED coalesced', 'FAILED'], 'both end FAILED');
-- the failed task's root again: everything of that side anew
select say('s', 'SUCCESS', 'k');
select is(picture(run('g', 3)), 'RUNNING | end - | p SUCCESS | q SUCCESS | s SUCCESS | t DISPATCHED | u - | z -', 'C from s: t is redone, q is shared');
select is(at(run('g', 3), 'q'), at(run('g', 2), 'q'), 'from B, the newest');
select finish(run('g', 3), 't'); select finish(run('g', 3), 'u'); select finish(run('g', 3), 'z', 'FAILED');
select is(picture(run('g', 3)), 'FAILED | end SKIPPED | p SUCCESS | q SUCCESS | s SUCCESS | t SUCCESS | u SUCCESS | z FAILED', 'z fails');
select say('p', 'SUCCESS', 'k');
select is(picture(run('g', 4)), 'RUNNING | end - | p SUCCESS | q DISPATCHED | s SUCCESS | t SUCCESS | u SUCCESS | z -', 'D from p: z and end are redone although they were SKIPPED or FAILED');
select finish(run('g', 4), 'q');
select is(picture(run('g', 4)), 'RUNNING | end - | p SUCCESS | q SUCCESS | s SUCCESS | t SUCCESS | u SUCCESS | z DISPATCHED', 'the join counts what is shared');
-- a DBA ends a shared task
select say('p', 'SUCCESS', 'd'); select say('s', 'SUCCESS', 'd'); select say('p', 'SUCCESS', 'd');
update task_run set status = 'SUCCESS' where id = at(run('g', 6), 't');
select is(state(at(run('g', 6), 'u')), 'DISPATCHED', 'by UPDATE: u starts in the new run');
select is(state(at(run('g', 5), 'u')), 'SKIPPED coalesced', 'and stays SKIPPED in the old one');
update task_run set status = 'CANCELLED' where id = at(run('g', 6), 'u');
select is(state(at(run('g', 6), 'u')), 'CANCELLED cancelled', 'u is cancelled in the new run');
-- the failure of an awaited root after a take-over
select say('p', 'SUCCESS', 'f'); select say('p', 'SUCCESS', 'f'); select say('s', 'FAILED', 'f');
select is(picture(run('g', -1)), 'RUNNING | end SKIPPED | p SUCCESS | q DISPATCHED | s FAILED | t SKIPPED | u SKIPPED | z SKIPPED', 'a root that fails joins the run that awaits it, the new one');
select is((select string_agg(replaces_id::text, ',') from graph_run where id = run('g', -1)), run('g', -2)::text, 'which had taken over');
-- three repeats of each root, crosswise, without key: never two runs that await
select say('p', 'SUCCESS'); select say('p', 'FAILED'); select say('p', 'SUCCESS'); select say('s', 'FAILED'); select say('s', 'SUCCESS');
select cmp_ok((select count(distinct a.graph_run_id)::int from awaited_root a where a.run_key = ''), '<=', 1, 'at most one event-opened run of a graph awaits roots');
select is((select count(*)::int from graph_run r where r.graph_id = graph_id('g') and r.status = 'RUNNING' and r.run_key is null and r.replaced_by_id is null), 1, 'one is not taken over');
select is(picture(run('g', -1)), 'RUNNING | end - | p SUCCESS | q DISPATCHED | s SUCCESS | t DISPATCHED | u - | z -', 'and holds the successes');
select finish_all('g');
select is((select count(*)::int from graph_run where status = 'RUNNING'), 0, 'all runs end');
select is((select count(*)::int from countdown c join graph_run r on r.id = c.graph_run_id where r.status = 'RUNNING'), 0, 'no join is left open');
select is(letters(), 'none', 'no dead letter');
