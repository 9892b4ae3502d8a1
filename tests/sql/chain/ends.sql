-- SPEC 2, chain: its ends exist and differ, the pair is unique.
select plan(10);

select given_task('a'), given_task('b'), given_task('c');
select lives_ok($$ insert into chain (previous_task_id, next_task_id) values (task_id('a'), task_id('b')) $$, 'a chain');
select refuses($$ insert into chain (previous_task_id, next_task_id) values (task_id('a'), task_id('a')) $$, 'OR201', 'chain from task ("a"|\d+) to itself', 'a chain to itself');
select refuses($$ insert into chain (previous_task_id, next_task_id) values (task_id('a'), task_id('b')) $$, 'OR202', 'exists', 'the same pair again');
select refuses($$ insert into chain (previous_task_id, next_task_id) values (task_id('b'), task_id('c')), (task_id('b'), task_id('c')) $$, 'OR202', 'exists',
               'the same pair twice in one statement');
select refuses($$ insert into chain (previous_task_id, next_task_id) values (-1, task_id('b')) $$, 'OR107', 'previous task -1', 'a previous task that is not there');
select refuses($$ insert into chain (previous_task_id, next_task_id) values (task_id('a'), -1) $$, 'OR107', 'next task -1', 'a next task that is not there');
select refuses($$ insert into chain (previous_task_id, next_task_id) values (null, task_id('b')) $$, 'OR107', 'previous task null', 'no previous task');
select refuses($$ insert into chain (previous_task_id, next_task_id) values (task_id('a'), null) $$, 'OR107', 'next task null', 'no next task');
select refuses($$ update chain set next_task_id = previous_task_id $$, 'OR201', 'itself', 'an update is judged as well');
select is((select count(*)::int from chain), 1, 'what was refused left nothing');
