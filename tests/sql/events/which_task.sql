-- SPEC 4.1 rule 3: the task is found by service + process (+ task). Several and none named: the only one in flight, else the only root,
-- else dead letter `ambiguous` naming them.
select plan(15);

-- process p has tasks root1, leaf1 (chained) and alone1
select given_task('root1', 'airflow', 'p'), given_task('leaf1', 'airflow', 'p'), given_task('other', 'airflow', 'q');
select given_graph('g', 'root1 -> leaf1');

select is(task_of(report('{"service": "airflow", "process": "p", "status": "SUCCESS"}')), 'root1',
          'none in flight: the only root');
select is(pictures('g'), 'RUNNING | leaf1 DISPATCHED | root1 SUCCESS', 'leaf1 starts');
select is(task_of(report('{"service": "airflow", "process": "p", "status": "SUCCESS"}')), 'leaf1',
          'one in flight: that one, not the root');
select is(pictures('g'), 'SUCCESS | leaf1 SUCCESS | root1 SUCCESS', 'the run ends');

select is(task_of(report('{"service": "airflow", "process": "p", "task": "root1", "status": "SUCCESS"}')), 'root1', 'a task that is named');
select is(task_of(report('{"service": "airflow", "process": "p", "task": "root1", "status": "SUCCESS"}')), 'root1', 'although another is in flight');
select is(pictures('g'), E'SUCCESS | leaf1 SUCCESS | root1 SUCCESS\nRUNNING | leaf1 DISPATCHED | root1 SUCCESS\nRUNNING | leaf1 DISPATCHED | root1 SUCCESS', 'a run each');
select is(report('{"service": "airflow", "process": "p", "task": "other", "status": "SUCCESS"}'), null, 'a task of another process');
select is(letters(), 'unknown', 'is unknown there');
select alike(letter_words(), '%process p of service airflow has no task other%', 'and the dead letter says so');
select finish_all('g');

-- two roots, none in flight
select given_task('root2', 'airflow', 'p'), given_graph('h', 'root2 -> other');
select is(report('{"service": "airflow", "process": "p", "status": "SUCCESS"}'), null, 'two roots and none in flight');
select is(letters(), 'unknown, ambiguous', 'is ambiguous');
select matches(letter_words(), 'leaf1.*root1.*root2', 'and names the tasks');
-- several in flight
select launch_graph('g'), launch_graph('h');
select is(report('{"service": "airflow", "process": "p", "status": "SUCCESS"}'), null, 'two tasks in flight');
select is(letters(), 'unknown, ambiguous, ambiguous', 'are ambiguous');
