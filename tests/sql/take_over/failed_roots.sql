-- SPEC 4.3: a root that did not succeed in A is no repeat: its next SUCCESS takes A over (with a key also after A ended).
select plan(19);

select given_acceptance(), given_graph('integration', '5 -> 6');
-- without key, A open and awaiting
select say('1', 'FAILED');
select is(pictures('integration'), 'RUNNING | 1 FAILED | 2 SKIPPED | 3 SKIPPED | 4 SKIPPED | 5 awaited | 6 -', 'A, 1 failed, awaits 5');
select say('1', 'SUCCESS');
select is(picture(run('integration', 2)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited | 6 -', 'its SUCCESS takes A over');
select is(picture(run('integration', 1)), 'FAILED | 1 FAILED | 2 SKIPPED | 3 SKIPPED | 4 SKIPPED | 5 SKIPPED | 6 SKIPPED', 'A ends FAILED');
select is((select (reason, replaced_by_id = run('integration', 2))::text from graph_run where id = run('integration', 1)), '(coalesced,t)', 'and says who took over');
select say('5', 'SUCCESS');
select finish_all('integration');
select is(picture(run('integration', 2)), 'SUCCESS | 1 SUCCESS | 2 SUCCESS | 3 SUCCESS | 4 SUCCESS | 5 SUCCESS | 6 SUCCESS', 'B ends SUCCESS');
-- without key, A open and awaiting nothing
select say('1', 'FAILED'); select say('5', 'SUCCESS');
select is(picture(run('integration', 3)), 'RUNNING | 1 FAILED | 2 SKIPPED | 3 SKIPPED | 4 SKIPPED | 5 SUCCESS | 6 DISPATCHED', 'A awaits nothing, 6 is in flight');
select say('1', 'SUCCESS');
select is(picture(run('integration', 4)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS | 6 DISPATCHED', 'the next SUCCESS of 1 takes A over all the same');
select is((select replaces_id from graph_run where id = run('integration', 4)), run('integration', 3), 'from 1');
select is(at(run('integration', 4), '6'), at(run('integration', 3), '6'), 'sharing 6 in flight');
select finish_all('integration');
select is((select array_agg(status order by id) from graph_run), array['FAILED', 'SUCCESS', 'FAILED', 'SUCCESS'], 'A stays FAILED');
-- without key, A ended: simply new
select say('1', 'FAILED'); select say('5', 'FAILED');
select is((select status from graph_run where id = run('integration', 5)), 'FAILED', 'both failed: ended');
select say('1', 'SUCCESS');
select is((select (replaces_id, opened_by)::text from graph_run where id = run('integration', 6)), '(,event)', 'without key an ended run is not taken over');
select is(picture(run('integration', 6)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited | 6 -', 'a new one starts');
-- with key, after A ended
select say('1', 'FAILED', 'k'); select say('5', 'SUCCESS', 'k');
select finish(run('integration', 7), '6');
select is(picture(run('integration', 7)), 'FAILED | 1 FAILED | 2 SKIPPED | 3 SKIPPED | 4 SKIPPED | 5 SUCCESS | 6 SUCCESS', 'with key: A ended FAILED');
select say('1', 'SUCCESS', 'k');
select is(picture(run('integration', 8)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS | 6 SUCCESS', 'is taken over from 1; 5 and 6 are shared');
select is((select replaces_id from graph_run where id = run('integration', 8)), run('integration', 7), 'naming it');
-- SKIPPED likewise
select say('1', 'SKIPPED', 's'); select say('5', 'SUCCESS', 's'); select say('1', 'SUCCESS', 's');
select is(picture(run('integration', -1)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS | 6 DISPATCHED', 'a SKIPPED root likewise');
-- a skipped place of a cancelled run: the root's next SUCCESS takes it over
select say('5', 'SUCCESS', 'c');
update graph_run set status = 'CANCELLED' where id = run('integration', -1);
select say('1', 'SUCCESS', 'c');
select is((select replaces_id from graph_run where id = run('integration', -1)), run('integration', -2), 'a root that a cancel skipped did not succeed: its SUCCESS takes over');
select is(picture(run('integration', -1)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 DISPATCHED | 4 DISPATCHED | 5 SUCCESS | 6 CANCELLED', 'sharing what is not downstream, as it is');
