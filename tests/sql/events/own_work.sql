-- SPEC 4.1 rule 6: work the tool started by itself: a new task run in the reported state. RUNNING joins no graph run yet; its SUCCESS, FAILED
-- or SKIPPED joins every graph in which the task is a root. A task in no graph is only recorded.
select plan(31);

select given_acceptance(), given_task('free', 'nifi');
-- RUNNING opens nothing
create temp table seen as select say('1', 'RUNNING', 'k', detail => 'flow file 7') as id;
select is((select (t.status, t.run_key, t.detail, t.graph_run_id, t.dispatched_at)::text from task_run t, seen where t.id = seen.id), '(RUNNING,k,"flow file 7",,)', 'RUNNING is a new task run in the reported state');
select is((select t.matched_by from task_run t, seen where t.id = seen.id), 'started', 'started by the tool');
select is((select count(*)::int from graph_run), 0, 'which joins no graph run yet');
select is(say('1', 'SUCCESS', 'k', result => '{"rows": 3}'), (select id from seen), 'its end is the same execution');
select is(pictures('integration'), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited', 'and opens a run that awaits the other root');
select is((select result from task_run t, seen where t.id = seen.id), '{"rows": 3}', 'the result is kept');
select is((select (run_key, opened_by, params)::text from graph_run), '(k,event,{})', 'the run has the key, and no params');
select is(history((select id from seen)), '- > RUNNING, RUNNING > SUCCESS', 'history has both');
-- the same without RUNNING
select say('1', 'SUCCESS', 'l');
select is(picture(run('integration', 2)), picture(run('integration', 1)), 'leaving RUNNING out changes nothing');
-- it joins the run that awaits it, with that key
select is(at(run('integration', 2), '5'), null, 'run l awaits 5');
select is(say('5', 'SUCCESS', 'l'), at(run('integration', 2), '5'), 'which joins it');
select is(pictures('integration'), E'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited\nRUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS', 'and no other');
-- none
select say('5', 'SUCCESS');
select is(picture(run('integration', 3)), 'RUNNING | 1 awaited | 2 - | 3 - | 4 - | 5 SUCCESS', 'without key is a key of its own');
select is((select run_key from graph_run where id = run('integration', 3)), null, 'null');
-- FAILED and SKIPPED join too
select say('1', 'FAILED', 'f', detail => 'disk full');
select is(picture(run('integration', 4)), 'RUNNING | 1 FAILED | 2 SKIPPED | 3 SKIPPED | 4 SKIPPED | 5 awaited', 'FAILED opens a run, and what is downstream is SKIPPED');
select say('5', 'SUCCESS', 'f');
select is(picture(run('integration', 4)), 'FAILED | 1 FAILED | 2 SKIPPED | 3 SKIPPED | 4 SKIPPED | 5 SUCCESS', 'the other root completes it');
select say('5', 'SKIPPED', 's');
select is(picture(run('integration', 5)), 'RUNNING | 1 awaited | 2 - | 3 SKIPPED | 4 - | 5 SKIPPED', 'SKIPPED opens a run');
select say('1', 'SUCCESS', 's');
select is(picture(run('integration', 5)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 SKIPPED | 4 DISPATCHED | 5 SKIPPED', 'independent branches go on');

-- every graph in which it is a root
select given_graph('second', '1 -> x'), given_graph('third', 'y -> z');
select say('1', 'SUCCESS', 'm');
select is(at(run('second', 1), '1'), at(run('integration', 6), '1'), 'one task run, two graphs');
select is(picture(run('second', 1)), 'RUNNING | 1 SUCCESS | x DISPATCHED', 'and its successors in both');
select is(picture(run('integration', 6)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited', 'each by its own chains');
select is(run('third'), null, 'no other graph is touched');
-- a task in no graph
select is(task_of(say('free', 'SUCCESS', 'm')), 'free', 'a task in no graph is recorded');
select is((select count(*)::int from graph_run_task_run l join task_run t on t.id = l.task_run_id where t.task_id = task_id('free')), 0, 'only');
select is(task_of(say('free', 'RUNNING')), 'free', 'RUNNING too');
select is((select array_agg(status order by id) from task_run where task_id = task_id('free')), array['SUCCESS', 'RUNNING'], 'as reported');
-- a chain in no graph fires nothing by itself
insert into chain (previous_task_id, next_task_id) values (task_id('free'), task_id('z'));
select say('free', 'SUCCESS', 'm');
select is((select count(*)::int from task_run where task_id = task_id('z')), 0, 'a chain in no graph fires nothing');
select is(letters(), 'none', 'no dead letter');
-- an oddity: the run waits although the root is reported for another key
select is(picture(run('integration', 1)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited', 'keys never meet');
-- awaited by a run of an older version, though no root of the current one any more
delete from graph_chain where chain_id = chain_id('5', '3');
select is(say('5', 'SUCCESS', 'k'), at(run('integration', 1), '5'), 'an open run of an older version still awaits 5');
select is(picture(run('integration', 1)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS', 'and goes on');
