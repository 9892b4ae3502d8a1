-- SPEC 2: rows leave by purge(older_than, batch): closed groups of graph runs that share task runs, with their task runs, history and event ids.
select plan(36);

select given_acceptance(), given_graph('line', '6 -> 7'), given_graph('integration', '4 -> 6'), given_task('free', 'nifi');
-- an old closed pair of runs that share 6, an old lone task run; an old run that shares with an open one; young ones
select clock((now() + interval '0 days')::text);
select say('1', 'SUCCESS', 'old', event_id => 'e1'), say('5', 'SUCCESS', 'old');
select finish_all('integration');
select finish_all('line');
select say('free', 'SUCCESS', 'old', 'x1');
select say('1', 'SUCCESS', 'mixed'), say('5', 'SUCCESS', 'mixed');
select finish_all('integration');
select report('{"service": "nobody", "process": "x", "status": "SUCCESS"}');
select clock((now() + interval '20 days')::text);
select say('1', 'SUCCESS', 'young'), say('5', 'SUCCESS', 'young');
select finish_all('integration');
select is((select string_agg(concat_ws(' ', g.name, r.run_key, r.status), ', ' order by r.run_key, g.name) from graph_run r join graph g on g.id = r.graph_id),
          'integration mixed SUCCESS, line mixed RUNNING, integration old SUCCESS, line old SUCCESS, integration young SUCCESS, line young RUNNING', 'given');
create temp table gone as select distinct t.id from task_run t where t.run_key = 'old';
select cmp_ok(purge('30 days'), '<=', 1::bigint, 'nothing is as old as that, but perhaps the event id, which is remembered 14 days');
select is((select count(*)::int from graph_run), 6, 'no run is gone');
select clock((now() + interval '35 days')::text);
select cmp_ok(purge_all(), '>', 15::bigint, 'purge says how many rows it removed');
select is((select count(*)::int from graph_run where run_key = 'old'), 0, 'the closed pair is gone');
select is((select count(*)::int from task_run where run_key = 'old'), 0, 'with its task runs, and the lone one');
select is((select count(*)::int from graph_run_task_run l join gone g on g.id = l.task_run_id), 0, 'links');
select is((select count(*)::int from task_run_event e join gone g on g.id = e.task_run_id), 0, 'history');
select is((select count(*)::int from external_execution x join gone g on g.id = x.task_run_id), 0, 'external ids');
select is((select count(*)::int from dispatch d join gone g on g.id = d.task_run_id), 0, 'dispatches');
select is((select count(*)::int from task_run_event e where e.task_run_id is null and not exists (select from graph_run r where r.id = e.graph_run_id)), 0, 'and the history of the runs');
select is((select string_agg(concat_ws(' ', g.name, r.run_key), ', ' order by r.run_key, g.name) from graph_run r join graph g on g.id = r.graph_id), 'integration mixed, line mixed, integration young, line young',
          'a run that shares a task run with an open one stays, as do young ones');
select is((select count(*)::int from task_run where run_key = 'mixed'), 7, 'whole');
select cmp_ok((select count(*)::int from task_run_event e join task_run t on t.id = e.task_run_id where t.run_key = 'mixed'), '>=', 7, 'with its history');
select is((select count(*)::int from dead_letter), 1, 'dead letters have their own retention');
select is(purge_all(), 0::bigint, 'called again: nothing');
-- the open one ends
select finish_all('line');
select is(purge_all(), 0::bigint, 'ended today: nothing is old');
select clock((now() + interval '64 days')::text);
select is((select count(*)::int from graph_run where run_key = 'mixed'), 2, 'a group is as young as its youngest member') from (select purge_all() offset 0) x;
select clock((now() + interval '66 days')::text);
select purge_all();
select is((select count(*)::int from graph_run), 0, 'in the end all are gone');
select is((select count(*)::int from task_run), 0, 'all task runs');
select is((select count(*)::int from task_run_event), 0, 'all history');
select is((select count(*)::int from graph_run_task_run) + (select count(*)::int from countdown) + (select count(*)::int from awaited_root) + (select count(*)::int from stand_in) + (select count(*)::int from external_execution), 0, 'nothing is left of them anywhere');
select clock((now() + interval '111 days')::text);
select purge_all();
select is((select count(*)::int from dead_letter), 0, 'dead letters after theirs');
-- definitions stay
select is((select count(*)::int from task), 8, 'definitions stay');
select clock((now() + interval '112 days')::text);
select say('1', 'SUCCESS', 'again');
select is(pictures('integration'), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited | 6 -', 'and the graphs run on');
-- open runs never go
select clock((now() + interval '172 days')::text);
select purge_all();
select is((select count(*)::int from graph_run), 1, 'an open run never goes, however old');
select is((select count(*)::int from task_run where finished_at is null), 2, 'nor what is in flight in it');
-- several batches
select clock((now() + interval '173 days')::text);
select say('6', 'SUCCESS', 'n' || i) from generate_series(1, 25) i;
select finish_all('line');
select clock((now() + interval '208 days')::text);
select cmp_ok(purge('30 days', 10), '>', 0::bigint, 'a batch');
select cmp_ok((select count(*)::int from graph_run where run_key ~ '^n\d'), '>=', 15, 'takes no more than it was told');
select purge_all();
select is((select count(*)::int from graph_run where run_key ~ '^n\d'), 0, 'the next ones take the rest');
-- arguments
select refuses($$ select purge(null) $$, 'OR106', 'null', 'no interval');
select refuses($$ select purge('-1 day') $$, 'OR106', '-1 day', 'a negative interval');
select refuses($$ select purge('1 day', 0) $$, 'OR501', 'batch 0', 'a batch of 0');
select refuses($$ select purge('1 day', null) $$, 'OR501', 'batch null', 'no batch');
select lives_ok($$ select purge(older_than => '1 day', batch => 1) $$, 'arguments by name');
select is(coalesce(current_setting('orchestration.engine', true), ''), '', 'the setting it uses does not stay');
