-- SPEC 4.1: a batch has exactly the result of its events one by one: what its events start is made in their order, for the oldest execution is the
-- one that an event without ids finds.
select plan(10);

select given_graph('g', 'a -> b -> c'), given_graph('shared', 'x -> y');
create temp table bridge as select given_topic() as id;
create function pg_temp.end(graph_run bigint, task text, status text default 'SUCCESS') returns jsonb language sql as $$
    select jsonb_build_object('task_run_id', tap.at(graph_run, task), 'status', status)
$$;
select launch_graph('g'), launch_graph('g'), launch_graph('g');
select feed((select id from bridge), pg_temp.end(run('g', 3), 'a'), pg_temp.end(run('g', 1), 'a'), pg_temp.end(run('g', 2), 'a'), '{"service": "airflow", "process": "p_b", "status": "SUCCESS"}');
select is(pictures('g'), E'RUNNING | a SUCCESS | b DISPATCHED | c -\nRUNNING | a SUCCESS | b DISPATCHED | c -\nRUNNING | a SUCCESS | b SUCCESS | c DISPATCHED', 'b of run 3 was started first');
select is((select array_agg(l.graph_run_id - run('g') + 1 order by l.task_run_id) from graph_run_task_run l where l.task_id = task_id('b')), array[3, 1, 2]::bigint[], 'all in their order');
-- with failures that are tried again among them
update task set max_attempts = 2 where name in ('a', 'b');
select launch_graph('g'), launch_graph('g'), launch_graph('g');
select feed((select id from bridge), pg_temp.end(run('g', 6), 'a'), pg_temp.end(run('g', 5), 'a', 'FAILED'), pg_temp.end(run('g', 4), 'a'));
select is((select array_agg(l.graph_run_id - run('g') + 1 order by l.task_run_id) from graph_run_task_run l where l.task_id = task_id('b') and l.graph_run_id >= run('g', 4)), array[6, 4]::bigint[], 'beside a retry');
select feed((select id from bridge), pg_temp.end(run('g', 6), 'b', 'FAILED'), pg_temp.end(run('g', 4), 'b', 'FAILED'));
select is((select array_agg(l.graph_run_id - run('g') + 1 order by l.task_run_id) from graph_run_task_run l where l.task_id = task_id('b') and l.attempt = 2), array[6, 4]::bigint[], 'and retries themselves');

-- joins are started in the order of the events that complete them
select given_graph('join', '[p, q] -> r -> s', 'q -> t');
select launch_graph('join'), launch_graph('join'), launch_graph('join');
select feed((select id from bridge), pg_temp.end(run('join', 1), 'p'), pg_temp.end(run('join', 2), 'p'), pg_temp.end(run('join', 3), 'q'));
select feed((select id from bridge), pg_temp.end(run('join', 2), 'q'), pg_temp.end(run('join', 3), 'p'), pg_temp.end(run('join', 1), 'q'), '{"service": "airflow", "process": "p_r", "status": "SUCCESS"}');
select is((select array_agg(l.graph_run_id - run('join') + 1 order by l.task_run_id) from graph_run_task_run l where l.task_id = task_id('r')), array[2, 3, 1]::bigint[], 'joins in the order of their completion');
select is(picture(run('join', 2)), 'RUNNING | p SUCCESS | q SUCCESS | r SUCCESS | s DISPATCHED | t DISPATCHED', 'and the first of them is found');
-- both ends of a join in one batch, other joins between them
select launch_graph('join'), launch_graph('join');
select feed((select id from bridge), pg_temp.end(run('join', 4), 'p'), pg_temp.end(run('join', 5), 'q'), pg_temp.end(run('join', 5), 'p'), pg_temp.end(run('join', 4), 'q'), '{"service": "airflow", "process": "p_s", "status": "FAILED"}');
select is((select array_agg(l.graph_run_id - run('join') + 1 order by l.task_run_id) from graph_run_task_run l where l.task_id = task_id('r')), array[2, 3, 1, 5, 4]::bigint[], 'whichever began first');
-- a task that crosses into another graph starts there what others start in their own
select given_graph('first', 'm -> n'), given_graph('second', 'n -> o');
select launch_graph('first'), launch_graph('second'), launch_graph('second');
select finish(run('first'), 'm');
select feed((select id from bridge), pg_temp.end(run('second', 2), 'n'), pg_temp.end(run('first'), 'n'), pg_temp.end(run('second', 1), 'n'), '{"service": "airflow", "process": "p_o", "status": "SUCCESS"}');
select is((select array_agg(l.graph_run_id - run('second') + 1 order by l.task_run_id) from graph_run_task_run l where l.task_id = task_id('o')), array[2, 3, 1]::bigint[], 'what crosses starts in its turn');
select is(picture(run('second', 2)), 'SUCCESS | n SUCCESS | o SUCCESS', 'and the first is found');
select is(picture(run('second', 3)), 'RUNNING | n SUCCESS | o DISPATCHED', 'not the one that crossed');
