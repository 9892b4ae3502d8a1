-- SPEC 6, explain: one row a task of the run's version, predecessors first, saying in words why it is where it is.
select plan(49);
set local client_min_messages = warning;
create function pg_temp.note(name text, id bigint) returns text language sql as $$ select set_config('tap.' || name, id::text, true) $$;
create function pg_temp.noted(name text) returns bigint language sql as $$ select current_setting('tap.' || name)::bigint $$;
create function pg_temp.said(graph_run bigint, task text) returns text language sql as $$
    select concat_ws(' | ', coalesce(e.status, '-'), coalesce(e.reason, '-'), e.detail) from orchestration.explain(said.graph_run) e where e.task = said.task
$$;

select refuses('select * from explain(0)', 'OR401', 'graph run 0', 'an unknown run');
select refuses('select * from explain(null)', 'OR401', 'null', 'none');
select is((select array_agg(a order by o) from (select unnest(proargnames) a, generate_subscripts(proargnames, 1) o from pg_proc where oid = 'orchestration.explain(bigint)'::regprocedure) x),
          array['graph_run_id', 'task', 'status', 'reason', 'detail'], 'its argument and columns');

-- the acceptance graph, from the start
select given_acceptance();
select clock('2026-11-22T03:00:00Z');
select say('1', 'SUCCESS'), say('5', 'SUCCESS');
select clock('2026-11-22T03:12:00Z');
select pg_temp.note('old', run('integration'));
select finish(run('integration'), '3'), finish(run('integration'), '4');
select clock('2026-11-22T04:00:00Z');
select say('1', 'SUCCESS');
select pg_temp.note('r', run('integration', -1));
select clock('2026-11-22T04:00:12Z');
select is((select array_agg(task order by n) from explain(pg_temp.noted('r')) with ordinality x(task, status, reason, detail, n) where task in ('1', '3')), array['1', '3'], 'predecessors first');
select is((select count(*)::int from explain(pg_temp.noted('r'))), 5, 'one row a task');
select is(pg_temp.said(pg_temp.noted('r'), '1'), 'SUCCESS | - | succeeded 2026-11-22 04:00:00Z, work that service nifi started by itself', 'work of the tool');
select is(pg_temp.said(pg_temp.noted('r'), '5'), format('- | awaited | waiting for an event of process p_5 of service nifi (last succeeded 2026-11-22 03:00:00Z in run %s)', pg_temp.noted('old')), 'an awaited root');
select is(pg_temp.said(pg_temp.noted('r'), '3'), format('- | waiting | waiting for 5 of this run (last succeeded 2026-11-22 03:00:00Z in run %s), now awaited', pg_temp.noted('old')), 'what waits for it');
select is(pg_temp.said(pg_temp.noted('r'), '2'), 'DISPATCHED | unsent | dispatched 12 s ago and not yet sent: no bridge is running', 'not sent');
select pg_temp.note('b', given_topic());
select is(pg_temp.said(pg_temp.noted('r'), '2'), 'DISPATCHED | unsent | dispatched 12 s ago and not yet sent: a bridge takes it next', 'a bridge lives');
update dispatch set bridge_id = pg_temp.noted('b');
select alike(pg_temp.said(pg_temp.noted('r'), '2'), '% not yet sent: bridge % is sending it', 'it is being sent');
select confirm_dispatches(pg_temp.noted('b'), array(select task_run_id from dispatch));
select alike(pg_temp.said(pg_temp.noted('r'), '2'), 'DISPATCHED | unacknowledged | dispatched 12 s ago and not yet acknowledged%', 'sent and not acknowledged');
select tell(at(pg_temp.noted('r'), '2'), 'ACCEPTED', ext => 'x-1', detail => 'DAG is paused');
select clock('2026-11-22T04:01:22Z');
select heartbeat(pg_temp.noted('b'), array[0, 1], array[0, 0]::bigint[]);
select alike(pg_temp.said(pg_temp.noted('r'), '2'), 'DISPATCHED | accepted | dispatched 1 min 22 s ago and accepted 1 min 10 s ago: DAG is paused%its tool calls it x-1', 'accepted, in the tool''s words');
select tell(at(pg_temp.noted('r'), '2'), 'RUNNING', detail => 'half way');
select clock('2026-11-22T06:06:22Z');
select heartbeat(pg_temp.noted('b'), array[0, 1], array[0, 0]::bigint[]);
select alike(pg_temp.said(pg_temp.noted('r'), '2'), 'RUNNING | running | running since 2026-11-22 04:01:22Z, 2 h 5 min: half way%', 'running');
select tell(at(pg_temp.noted('r'), '2'), 'SUCCESS');
select is(pg_temp.said(pg_temp.noted('r'), '2'), 'SUCCESS | - | succeeded 2026-11-22 06:06:22Z in 2 h 5 min, reported by its id', 'done, how long it took, how it was found');
select say('4', 'SUCCESS');
select alike(pg_temp.said(pg_temp.noted('r'), '4'), '%, reported without id and taken for the oldest in flight of its task and key', 'matched without id');

-- failures
select say('5', 'SUCCESS');
select tell(at(pg_temp.noted('r'), '3'), 'FAILED', detail => 'disk full');
select is(pg_temp.said(pg_temp.noted('r'), '3'), 'FAILED | - | failed 2026-11-22 06:06:22Z: disk full', 'failed, why');
select given_graph('line', 'a -> b -> c');
update task set timeout = '1 hour', ack_timeout = '10 years' where name = 'a';
update task set max_attempts = 3, retry_delay = '1 minute' where name = 'b';
select pg_temp.note('l', launch_graph('line', run_key => 'k'));
select alike(pg_temp.said(pg_temp.noted('l'), 'a'), 'DISPATCHED | unsent | %; times out in 1 h', 'its time-out');
select is(pg_temp.said(pg_temp.noted('l'), 'b'), '- | waiting | waiting for a of this run (never succeeded), now DISPATCHED', 'the state of what it waits for');
select tell(at(pg_temp.noted('l'), 'a'), 'SUCCESS', ext => 'e-1');
select tell(at(pg_temp.noted('l'), 'b'), 'FAILED', detail => 'no luck');
select alike(pg_temp.said(pg_temp.noted('l'), 'b'), 'QUEUED | retry | retry 2 of 3 in 1 min, after task run % was FAILED: no luck', 'a retry');
select is(pg_temp.said(pg_temp.noted('l'), 'c'), '- | waiting | waiting for b of this run (never succeeded), now QUEUED', 'and what waits for it');
select clock('2026-11-22T06:06:42Z');
select alike(pg_temp.said(pg_temp.noted('l'), 'b'), '%retry 2 of 3 in 40 s%', 'time passes');
select clock('2026-11-22T06:07:32Z');
select heartbeat(pg_temp.noted('b'), array[0, 1], array[0, 0]::bigint[]);
select alike(pg_temp.said(pg_temp.noted('l'), 'b'), '%retry 2 of 3 due since 10 s%', 'and passes');
select _dispatch(array[at(pg_temp.noted('l'), 'b')]);
select tell(at(pg_temp.noted('l'), 'b'), 'FAILED', detail => 'no luck');
select _dispatch(array[at(pg_temp.noted('l'), 'b')]);
select tell(at(pg_temp.noted('l'), 'b'), 'FAILED', detail => 'no luck at all');
select is(pg_temp.said(pg_temp.noted('l'), 'b'), 'FAILED | - | failed 2026-11-22 06:07:32Z: no luck at all, attempt 3 of 3', 'no attempt left');
select is(pg_temp.said(pg_temp.noted('l'), 'c'), 'SKIPPED | upstream | skipped because b failed: no luck at all', 'what follows is skipped, with the cause');
update task set config_template = '{"t": "{{ params.t }}"}' where name = 'a';
select pg_temp.note('l', launch_graph('line'));
select is(pg_temp.said(pg_temp.noted('l'), 'a'), 'FAILED | config | could not be dispatched 2026-11-22 06:07:32Z: task a: at /t {{ params.t }} finds nothing', 'config');
select is(pg_temp.said(pg_temp.noted('l'), 'c'), 'SKIPPED | upstream | skipped because a failed (config): task a: at /t {{ params.t }} finds nothing', 'the first cause');
update task set config_template = '{}' where name = 'a';

-- by hand
select set_config('orchestration.actor', 'anna', true);
select pg_temp.note('l', launch_graph('line'));
select mark_task_run(at(pg_temp.noted('l'), 'a'), 'SUCCESS', 'seen it');
select alike(pg_temp.said(pg_temp.noted('l'), 'a'), 'SUCCESS | marked | succeeded %: marked SUCCESS by anna: seen it', 'marked, by whom and why');
select cancel_task_run(at(pg_temp.noted('l'), 'b'), 'not today');
select alike(pg_temp.said(pg_temp.noted('l'), 'b'), 'CANCELLED | cancelled | cancelled 2026-11-22 06:07:32Z: cancelled by anna: not today', 'cancelled, by whom and why');
select is(pg_temp.said(pg_temp.noted('l'), 'c'), 'SKIPPED | upstream | skipped because b was cancelled (cancelled): cancelled by anna: not today', 'and what follows');
select tell(at(pg_temp.noted('l'), 'b'), 'SUCCESS');
select alike(pg_temp.said(pg_temp.noted('l'), 'b'), format('%%; 1 late event, the last 2026-11-22 06:07:32Z: SUCCESS, recorded only; to use it: select orchestration.mark_task_run(%s, ''SUCCESS'', ''why'')', at(pg_temp.noted('l'), 'b')), 'a late event and how to use it');
select pg_temp.note('l', launch_graph('line'));
update task_run set status = 'SUCCESS' where id = at(pg_temp.noted('l'), 'a');
select alike(pg_temp.said(pg_temp.noted('l'), 'a'), 'SUCCESS | marked | succeeded %, by anna', 'by plain SQL, by whom');
select tell(at(pg_temp.noted('l'), 'a'), 'FAILED', detail => 'oh'), null;
select alike(pg_temp.said(pg_temp.noted('l'), 'a'), format('%%1 late event, the last %%: FAILED: oh, recorded only; to do it again: select orchestration.rerun(%s, array[''a''])', pg_temp.noted('l')), 'a late failure');
select cancel_graph_run(pg_temp.noted('l'), 'enough');
select is(pg_temp.said(pg_temp.noted('l'), 'c'), 'SKIPPED | cancelled | not started: cancelled by anna: enough', 'a cancelled run');
select set_config('orchestration.actor', '', true);

-- take-over
select clock('2026-11-22T07:00:00Z');
select pg_temp.note('x', run('integration', -1));
select say('1', 'SUCCESS', 'day');
select pg_temp.note('x', run('integration', -1));
select say('1', 'SUCCESS', 'day');
select pg_temp.note('y', run('integration', -1));
select is(pg_temp.said(pg_temp.noted('x'), '3'), format('SKIPPED | coalesced | coalesced into run %s', pg_temp.noted('y')), 'coalesced, and into which run');
select alike(pg_temp.said(pg_temp.noted('x'), '2'), format('DISPATCHED | %%; run %s took this run over', pg_temp.noted('y')), 'what was started goes on');
select alike(pg_temp.said(pg_temp.noted('y'), '3'), '- | waiting | waiting for 5 of this run%', 'the new run waits');
select finish(pg_temp.noted('y'), '2'), finish(pg_temp.noted('y'), '4'), say('5', 'SUCCESS', 'day');
select finish(pg_temp.noted('y'), '3', 'FAILED');
select pg_temp.note('z', rerun(pg_temp.noted('y')));
select alike(pg_temp.said(pg_temp.noted('z'), '2'), format('SUCCESS | - | succeeded %%; shared with run %s', pg_temp.noted('y')), 'shared');
select alike(pg_temp.said(pg_temp.noted('y'), '3'), format('FAILED | - | failed %%; run %s took this run over', pg_temp.noted('z')), 'who did not succeed there');

-- partial runs
select pg_temp.note('l', launch_graph('line', run_key => 'p'));
select finish(pg_temp.noted('l'), 'a'), given_graph('line', 'x -> c');
select pg_temp.note('m', launch_graph('line', run_key => 'p'));
select finish(pg_temp.noted('m'), 'x');
select pg_temp.note('p', launch_tasks('line', array['b'], run_key => 'p'));
select is(pg_temp.said(pg_temp.noted('p'), 'c'), format('- | waiting | waiting for b of this run (never succeeded), now DISPATCHED; outside of this run count x by task run %s of run %s (2026-11-22 07:00:00Z)', at(pg_temp.noted('m'), 'x'), pg_temp.noted('m')), 'what counts from outside');
select is((select count(*)::int from explain(pg_temp.noted('p'))), 2, 'a partial run has its own tasks only');

-- waiting for many
select given_graph('many', '[m1, m2, m3, m4, m5] -> j');
select pg_temp.note('j', launch_graph('many'));
select alike(pg_temp.said(pg_temp.noted('j'), 'j'), '- | waiting | waiting for m1 %; m2 %; m3 %; and 2 more', 'three are named');
select finish(pg_temp.noted('j'), 'm1'), finish(pg_temp.noted('j'), 'm3');
select alike(pg_temp.said(pg_temp.noted('j'), 'j'), '- | waiting | waiting for m2 %; m4 %; m5 %', 'those that lack');

-- held, stopped, standing still
insert into graph_pause (graph_id, paused_at, paused_by, paused_actor) values (graph_id('many'), '2026-11-22T07:00:00Z', 'postgres', 'bert');
select alike(pg_temp.said(pg_temp.noted('j'), 'j'), '- | waiting | %; graph many is paused since 2026-11-22 07:00:00Z by bert', 'a paused graph');
select finish(pg_temp.noted('j'), 'm2'), finish(pg_temp.noted('j'), 'm4'), finish(pg_temp.noted('j'), 'm5');
select is(pg_temp.said(pg_temp.noted('j'), 'j'), 'QUEUED | held | held: graph many is paused since 2026-11-22 07:00:00Z by bert, attempt 1 of 1', 'held by it');
select set_config('orchestration.actor', 'carl', true);
select stop_service();
select alike(pg_temp.said(pg_temp.noted('p'), 'b'), 'DISPATCHED | unsent | dispatched % not yet sent: the service is stopped since % by carl', 'a stopped service');
select alike(pg_temp.said(pg_temp.noted('p'), 'c'), '%; the service is stopped since % by carl: nothing is taken in or sent%', 'what waits says so too');
select start_service();
update task_run set due_at = '2026-11-22T07:00:00Z', timeout = '1 hour' where id = at(pg_temp.noted('p'), 'b');
select clock('2026-11-22T09:00:00Z');
select alike(pg_temp.said(pg_temp.noted('p'), 'b'), '%past its time-out since 1 h; nothing is failed or sent again for time: the horizon stands still, partition % of topic etl_finished_tasks %', 'a horizon that stands still');
update task_run set due_at = null, timeout = null where id = at(pg_temp.noted('p'), 'b');
select unalike(pg_temp.said(pg_temp.noted('p'), 'b'), '%horizon%', 'is of no interest to what waits for no instant');
