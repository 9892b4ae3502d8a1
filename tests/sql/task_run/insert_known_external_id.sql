-- SPEC 4.1.6: only an *unknown* external_id shows that it is work of its own; a known one opens no partial run.
select plan(3);

select given_task('a', 'nifi'), given_graph('g', 'a -> b');
select say('a', 'SUCCESS', 'm');
select tell(at(run('g'), 'b'), 'SUCCESS', 'y');
select refuses($$ insert into task_run (task_id, status, run_key, external_id) values (task_id('b'), 'SUCCESS', 'm', 'y') $$, 'OR303', 'root of no graph', 'an end with a known external_id');
select refuses($$ insert into task_run (task_id, status, run_key, external_id) values (task_id('b'), 'RUNNING', 'm', 'y') $$, 'OR303', 'root of no graph', 'RUNNING likewise');
select lives_ok($$ insert into task_run (task_id, status, run_key, external_id) values (task_id('b'), 'SUCCESS', 'm', 'z') $$, 'a new one opens a partial run');
