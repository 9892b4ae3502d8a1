-- SPEC 4.9: UPDATE task_run.status is the transition with all its effects: QUEUED -> any, DISPATCHED -> RUNNING or end, RUNNING -> end; the same
-- value: no effect; id, task, attempt never change; in one statement failures count before successes.
select plan(84);

select given_graph('g', 'a -> b'), given_task('m');
-- every pair of states
create temp table state (name text, rank integer);
insert into state values ('QUEUED', 1), ('DISPATCHED', 2), ('RUNNING', 3), ('SUCCESS', 4), ('FAILED', 4), ('SKIPPED', 4), ('CANCELLED', 4);
create function pg_temp.change(old text, new text) returns text language plpgsql as $$
-- The outcome of an UPDATE from one state to another: the new state, or the SQLSTATE.
declare
    v_id bigint;
begin
    set local session_replication_role = replica;
    insert into orchestration.task_run (task_id, status, finished_at, dispatched_at)
    values (tap.task_id('m'), old, case when old in ('SUCCESS', 'FAILED', 'SKIPPED', 'CANCELLED') then now() end, case when old <> 'QUEUED' then now() end) returning id into v_id;
    set local session_replication_role = origin;
    update orchestration.task_run set status = new where id = v_id;
    return (select t.status || case when t.finished_at is not null then ' ended' else '' end from orchestration.task_run t where t.id = v_id);
exception when others then
    return sqlstate;
end
$$;
select is(pg_temp.change(o.name, n.name),
          case when o.name = n.name or o.rank < n.rank then n.name || case when n.rank = 4 then ' ended' else '' end else 'OR301' end, format('%s -> %s', o.name, n.name))
from state o, state n order by o.rank, o.name, n.rank, n.name;
select refuses(format($$ update task_run set status = 'QUEUED' where id = %s $$, t.id), 'OR301', format('task run %s is SUCCESS and cannot become QUEUED', t.id), 'the refusal names task run and states')
from (select id from task_run where status = 'SUCCESS' limit 1) t;

-- effects
select launch_graph('g', run_key => 'k');
update task_run set status = 'RUNNING' where id = at(run('g'), 'a');
select is((select (started_at is not null, finished_at, reason)::text from task_run where id = at(run('g'), 'a')), '(t,,)', 'RUNNING sets started_at');
update task_run set status = 'SUCCESS' where id = at(run('g'), 'a');
select is(pictures('g'), 'RUNNING | a SUCCESS | b DISPATCHED', 'SUCCESS starts what it unblocks');
select is((select (reason, finished_at is not null)::text from task_run where id = at(run('g'), 'a')), '(marked,t)', 'reason marked');
select is((select (old_status, new_status, source, reason, db_user = session_user)::text from last_event(at(run('g'), 'a'))), '(RUNNING,SUCCESS,sql,marked,t)', 'history: source sql, and who');
update task_run set status = status where id = at(run('g'), 'a');
update task_run set status = 'SUCCESS' where id = at(run('g'), 'a');
select is(history(at(run('g'), 'a')), '- > DISPATCHED, DISPATCHED > RUNNING, RUNNING > SUCCESS', 'the same value again: no effect');
select is(dispatched('b'), 1::bigint, 'b is sent once');
update task_run set detail = 'a note', result = '{"x": 1}' where id = at(run('g'), 'a');
select is((select (detail, result)::text from task_run where id = at(run('g'), 'a')), '("a note","{""x"": 1}")', 'other columns may be written');
select is(history(at(run('g'), 'a')), '- > DISPATCHED, DISPATCHED > RUNNING, RUNNING > SUCCESS', 'without effect');
-- an unsent dispatch is withdrawn by hand, not by the tool
update task_run set status = 'FAILED', reason = 'broken', detail = 'I say so' where id = at(run('g'), 'b');
select is((select (status, reason, detail)::text from task_run where id = at(run('g'), 'b')), '(FAILED,broken,"I say so")', 'a reason of one''s own is kept');
select is(dispatched('b'), 0::bigint, 'an unsent dispatch is withdrawn');
select is(pictures('g'), 'FAILED | a SUCCESS | b FAILED', 'the run ends');
select launch_graph('g');
update task_run set status = 'CANCELLED' where id = at(run('g', 2), 'a');
select is(state(at(run('g', 2), 'a')), 'CANCELLED cancelled', 'CANCELLED bears its reason');
select is(state(at(run('g', 2), 'b')), 'SKIPPED upstream', 'and skips what is downstream');
-- two of three rows change
select launch_graph('g'), launch_graph('g'), launch_graph('g');
update task_run set status = 'SUCCESS' where id = at(run('g', 3), 'a');
update task_run set status = 'SUCCESS' where id in (at(run('g', 3), 'a'), at(run('g', 4), 'a'), at(run('g', 5), 'a'));
select is((select count(*)::int from task_run where task_id = task_id('b') and status = 'DISPATCHED'), 3, 'a statement over rows of which some have the value already: an effect each of the others');
select is(history(at(run('g', 3), 'a')), '- > DISPATCHED, DISPATCHED > SUCCESS', 'no second one of the first');
select refuses(format($$ update task_run set status = 'RUNNING' where id in (%s, %s) $$, at(run('g', 3), 'a'), at(run('g', 3), 'b')), 'OR301', 'is SUCCESS and cannot become RUNNING', 'one illegal row refuses the statement');
select is((select status from task_run where id = at(run('g', 3), 'b')), 'DISPATCHED', 'whole');
-- twice in one transaction
update task_run set status = 'RUNNING' where id = at(run('g', 4), 'b');
update task_run set status = 'SUCCESS' where id = at(run('g', 4), 'b');
select is(picture(run('g', 4)), 'SUCCESS | a SUCCESS | b SUCCESS', 'one transition after the other');
select is((select count(*)::int from graph_run where status = 'SUCCESS'), 1, 'one run has ended');
-- never change
select refuses(format('update task_run set %s where id = %s', c.change, at(run('g', 5), 'b')), 'OR302', format('task run %s', at(run('g', 5), 'b')), 'refused: ' || c.change)
from (values ('id = -1'), ('task_id = tap.task_id(''a'')'), ('attempt = 2'), ('graph_run_id = null'), ('run_key = ''other''')) c(change);
select refuses(format('update task_run set status = %s where id = %s', s.status, at(run('g', 5), 'b')), 'OR108', format('task run %s', at(run('g', 5), 'b')), 'no status: ' || s.status)
from (values ('null'), ('''done'''), ('''''')) s(status);
select is((select status from task_run where id = at(run('g', 5), 'b')), 'DISPATCHED', 'what was refused changed nothing');
-- QUEUED -> DISPATCHED sends
set local session_replication_role = replica;
insert into task_run (task_id, status, run_key) values (task_id('m'), 'QUEUED', 'send me');
set local session_replication_role = origin;
update task set config_template = '{"now": true}' where name = 'm';
update task_run set status = 'DISPATCHED' where run_key = 'send me';
select is((select d.value::jsonb -> 'config' from dispatch d join task_run t on t.id = d.task_run_id where t.run_key = 'send me'), '{"now": true}', 'QUEUED -> DISPATCHED sends it, with the template of now');
select isnt((select dispatched_at from task_run where run_key = 'send me'), null, 'dispatched_at is set');

-- failures count before successes: two executions of a root, the older succeeds and the younger fails, in one statement: the SUCCESS is
-- no repeat but takes the failed one over (4.3), so that the run that is left open holds the success
select given_acceptance();
select say('1', 'RUNNING', null, 'older'), say('1', 'RUNNING', null, 'younger');
update task_run set status = case external_id when 'older' then 'SUCCESS' else 'FAILED' end where task_id = task_id('1');
select is(picture(run('integration', -1)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited', 'the open run holds the success');
select is((select (t.external_id)::text from task_run t where t.id = at(run('integration', 1), '1')), 'younger', 'the failure came first');
select say('1', 'RUNNING', 'k', 'failing'), say('1', 'RUNNING', 'k', 'succeeding');
update task_run set status = case external_id when 'succeeding' then 'SUCCESS' else 'FAILED' end where task_id = task_id('1') and run_key = 'k';
select is(picture(run('integration', -1)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited', 'whichever is the older');
select is((select count(*)::int from graph_run where graph_id = graph_id('integration')), 4, 'a run each');
