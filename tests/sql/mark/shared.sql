-- SPEC 4.4: a marked task run that stands in several runs, graphs that meet, attempts and runs that were taken over before; what cannot be marked.
select plan(30);

-- the failed task run is shared by two graphs: work a tool did on a root of both
select given_graph('g', 'r -> a'), given_graph('h', 'r -> b');
select say('r', 'FAILED', 'k');
select is(pictures('g') || '; ' || pictures('h'), 'FAILED | a SKIPPED | r FAILED; FAILED | b SKIPPED | r FAILED', 'r failed in both');
select is(mark_task_run(at(run('g'), 'r'), 'SUCCESS', 'fine'), run('g', 2), 'answers the first');
select is(picture(run('g', 2)) || '; ' || picture(run('h', 2)), 'RUNNING | a DISPATCHED | r SUCCESS; RUNNING | b DISPATCHED | r SUCCESS', 'both are taken over');
select is(at(run('g', 2), 'r'), at(run('h', 2), 'r'), 'by one new task run');
select is((select count(*)::int from task_run where task_id = task_id('r')), 2, 'and no other');
select is((select shared from task_run where id = at(run('g', 2), 'r')), true, 'shared');
select is((select count(*)::int from graph_run), 4, 'two new runs');

-- graphs that meet: m fails in one, so it never crossed; its mark does
select given_graph('first', 'l -> m'), given_graph('second', 'm -> n');
select launch_graph('first', run_key => 'k');
select finish(run('first'), 'l'); select finish(run('first'), 'm', 'FAILED');
select is((select count(*)::int from graph_run where graph_id = graph_id('second')), 0, 'a failure does not cross');
select mark_task_run(at(run('first'), 'm'), 'SUCCESS');
select is(picture(run('first', 2)), 'SUCCESS | l SUCCESS | m SUCCESS', 'the run of the first ends');
select is(pictures('second'), 'RUNNING | m SUCCESS | n DISPATCHED', 'and the success crosses');
select is(at(run('second'), 'm'), at(run('first', 2), 'm'), 'sharing the task run');

-- in both of two meeting graphs, redone: the other graph's run is taken over
select finish(run('second'), 'n', 'FAILED');
select is((select count(*)::int from graph_run where graph_id = graph_id('second')), 1, 'n failed');
select mark_task_run(at(run('second'), 'n'), 'SUCCESS');
select is(pictures('second'), E'FAILED | m SUCCESS | n FAILED\nSUCCESS | m SUCCESS | n SUCCESS', 'a mark in the second shares m');
select is((select count(*)::int from graph_run where graph_id = graph_id('first')), 2, 'and touches nothing of the first');

-- a run that was taken over shares the failed one with the run that took over: only that is taken over again
select given_graph('t', 'p -> q', 'u -> v');
select launch_graph('t');
select finish(run('t'), 'p', 'FAILED'); select finish(run('t'), 'u', 'FAILED');
select mark_task_run(at(run('t', 1), 'p'), 'SUCCESS');
select is(at(run('t', 2), 'u'), at(run('t', 1), 'u'), 'u FAILED is shared');
select is(mark_task_run(at(run('t', 1), 'u'), 'SUCCESS'), run('t', 3), 'marked');
select is((select array_agg(replaced_by_id order by id) from graph_run where graph_id = graph_id('t')), array[run('t', 2), run('t', 3), null], 'a row of take-overs');
select is(picture(run('t', 3)), 'RUNNING | p SUCCESS | q DISPATCHED | u SUCCESS | v DISPATCHED', 'q in flight is shared');
select finish_all('t');
select is(pictures('t'), E'FAILED | p FAILED | q SKIPPED | u FAILED | v SKIPPED\nFAILED | p SUCCESS | q SUCCESS | u FAILED | v SKIPPED\nSUCCESS | p SUCCESS | q SUCCESS | u SUCCESS | v SUCCESS', 'each ends');

-- under the current version
select given_graph('e', 'c1 -> c2 -> c3');
select launch_graph('e');
select finish(run('e'), 'c1', 'FAILED');
select given_graph('e', 'c1 -> c4');
delete from graph_chain where chain_id = chain_id('c2', 'c3');
select mark_task_run(at(run('e'), 'c1'), 'SUCCESS');
select is(picture(run('e', 2)), 'RUNNING | c1 SUCCESS | c2 DISPATCHED | c4 DISPATCHED', 'the new run is under the current version');
select refuses(format($$ select mark_task_run(%s, 'SUCCESS') $$, at(run('e', 1), 'c3')), 'OR307', 'taken over', 'what the old run skipped');
select launch_graph('e');
select finish(run('e', 3), 'c1', 'FAILED');
delete from graph_chain where chain_id = chain_id('c1', 'c4');
select refuses(format($$ select mark_task_run(%s, 'SUCCESS') $$, at(run('e', 3), 'c4')), 'OR404', 'task "c4" is no longer in graph "e"', 'a task that is not in the graph any more');
update graph set archived = true where name = 'e';
select refuses(format($$ select mark_task_run(%s, 'SUCCESS') $$, at(run('e', 3), 'c1')), 'OR402', 'graph "e" of graph run .* is archived', 'an archived graph');
update graph set archived = false where name = 'e';
delete from graph_chain where graph_id = graph_id('e');
select refuses(format($$ select mark_task_run(%s, 'SUCCESS') $$, at(run('e', 3), 'c1')), 'OR402', 'graph "e" has no tasks', 'an empty graph');
select is((select count(*)::int from graph_run where graph_id = graph_id('e')), 3, 'what was refused changed nothing');

-- a correction by an event (called by the engine, so as its owner) answers null where it cannot, and opens an event run of an event's run
create function pg_temp.corrected(task_run bigint) returns bigint language plpgsql as $$
begin
    perform tap.as_role('orchestration_owner', format('select set_config(%L, coalesce(orchestration._mark_again(%s, %L, %L, %L, true)::text, %L), true)', 'tap.answer', task_run, '{"n": 1}', 'marked', 'event', ''));
    return nullif(current_setting('tap.answer'), '')::bigint;
end
$$;
select is(pg_temp.corrected(at(run('e', 3), 'c1')), null, 'by event: null, not an error');
select is(pg_temp.corrected(at(run('t', 1), 'p')), null, 'taken over already: null');
select say('r', 'FAILED', 'z');
select is(pg_temp.corrected(at(run('g', 3), 'r')), run('g', 4), 'by event');
select is((select (opened_by, (select reason from graph_run where id = run('g', 3)))::text from graph_run where id = run('g', 4)), '(event,)', 'opened by event, as the old one; that had ended');
select is((select result from task_run where id = at(run('h', 4), 'r')), '{"n": 1}', 'with the event''s result');
