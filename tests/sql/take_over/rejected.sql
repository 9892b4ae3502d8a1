-- SPEC 4.3, reject: what is rejected says so: the dead letter, the history of what another graph took or what crossed, the refusal of plain SQL.
select plan(17);

select given_acceptance();
update graph set repeat_policy = 'reject' where name = 'integration';
select say('1', 'SUCCESS');
select is(say('1', 'SUCCESS', event_id => 'e'), null, 'a repeat while A waits: no task run');
select is(letters(), 'rejected', 'a dead letter');
select matches(letter_words(), '^graph "integration" rejects a repeat of task "1": graph run ' || run('integration') || ' has it', 'which names graph, task and run');
select is((select count(*)::int from task_run where task_id = task_id('1')), 1, 'nothing of it is left');
select isnt((select replay(d.id) from (select say('5', 'SUCCESS')) x, dead_letter d), null, 'once A has what it awaited it can be replayed');
select is(picture(run('integration', 2)), 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 4 DISPATCHED | 5 awaited', 'and opens a run');
select is(say('1', 'SUCCESS', event_id => 'f'), null, 'which waits in turn');
-- plain SQL
select refuses(format('insert into task_run (task_id, status) values (%s, %L)', task_id('1'), 'SUCCESS'), 'OR309', '"1" is rejected: graph "integration"', 'INSERT of a repeat is refused');
select refuses(format('insert into task_run (task_id, status) values (%s, %L), (%s, %L)', task_id('1'), 'SUCCESS', task_id('5'), 'SUCCESS'), 'OR309', '"1"', 'one of several: all of them');
select is((select count(*)::int from graph_run), 2, 'nothing of it is done');
create temp table own as select say('1', 'RUNNING') as id;
select lives_ok(format('update task_run set status = %L where id = %s', 'SUCCESS', (select id from own)), 'UPDATE of work a tool started ends it');
select is((select count(*)::int from graph_run_task_run where task_run_id = (select id from own)), 0, 'in no run');
select is((select (reason, new_status, source)::text from task_run_event where task_run_id = (select id from own) order by id desc limit 1), '(rejected,SUCCESS,sql)', 'which its history tells');
-- crossing
select given_graph('integration', '4 -> 6'), given_graph('second', '[6, 9] -> 10');
update graph set repeat_policy = 'reject' where name = 'second';
select say('1', 'SUCCESS'); -- the tool's own word on what the UPDATE ended: late
select say('5', 'SUCCESS');
select say('1', 'SUCCESS'); select say('5', 'SUCCESS');
select say('1', 'SUCCESS'); select say('5', 'SUCCESS');
select finish(run('integration', 3), '4'); select finish(run('integration', 4), '4');
select finish(run('integration', 3), '6');
select lives_ok(format('select tell(%s, %L)', at(run('integration', 4), '6'), 'SUCCESS'), 'a rejected SUCCESS that crosses is no error');
select is((select reason from task_run_event where task_run_id = at(run('integration', 4), '6') order by id desc limit 1), 'rejected', 'its history has a row');
select is((select status from task_run where id = at(run('integration', 4), '6')), 'SUCCESS', 'it has succeeded');
select is(pictures('second'), 'RUNNING | 10 - | 6 SUCCESS | 9 awaited', 'and stands in no second run');
