-- SPEC 2 and 4.5: the next task of a chain can be sent to; checked again when chain, task, process or service changes.
select plan(14);

select given_task('load', 'nifi'), given_task('probe', 'nifi'), given_graph('g', 'load -> copy -> check');
select refuses($$ insert into chain (previous_task_id, next_task_id) values (task_id('copy'), task_id('load')) $$, 'OR204', 'task "load": service "nifi" has no dispatch topic',
               'a next task whose service only reports; named with its service');
select refuses($$ update chain set next_task_id = task_id('probe') where id = chain_id('copy', 'check') $$, 'OR204', 'task "probe"', 'a chain that is turned to such a task');
select lives_ok($$ update chain set previous_task_id = task_id('probe') where id = chain_id('copy', 'check') $$, 'as previous task it is welcome');
select refuses($$ update task set process_id = (select process_id from task where name = 'probe') where name = 'copy' $$, 'OR204', 'task "copy" .* service "nifi"', 'a task that moves to a process of such a service');
select refuses($$ update process set service_id = (select id from service where name = 'nifi') where uid = 'p_check' $$, 'OR204', 'task "check"', 'a process that moves to such a service');
select refuses($$ update service set dispatch_topic = null where name = 'airflow' $$, 'OR204', 'task "(copy|check)"', 'a service that loses its topic');
select lives_ok($$ update service set dispatch_topic = 'other' where name = 'airflow' $$, 'a service may change its topic');
select lives_ok($$ update service set dispatch_topic = 'nifi_tasks' where name = 'nifi' $$, 'a service may get a topic');
select lives_ok($$ insert into chain (previous_task_id, next_task_id) values (task_id('check'), task_id('load')) $$, 'and then its tasks can be next');
select refuses($$ update service set dispatch_topic = null where name = 'nifi' $$, 'OR204', 'task "load"', 'and it keeps its topic while they are');
delete from chain where id = chain_id('check', 'load');
select lives_ok($$ update service set dispatch_topic = null where name = 'nifi' $$, 'until the last such chain is gone');
select lives_ok($$ update task set process_id = (select process_id from task where name = 'check') where name = 'copy' $$, 'a task may move to another process that can be sent to');
select is((select process_uid || ' ' || service_name || ' ' || dispatch_topic from task_card where task_id = task_id('copy')), 'p_check airflow other', 'and is addressed there');
select refuses($$ update service set dispatch_topic = '' where name = 'airflow' $$, 'OR101', 'dispatch topic ""', 'an empty topic is no topic');
