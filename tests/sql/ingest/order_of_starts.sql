-- SPEC 4.1: a batch has exactly the result of its events one by one: what its events start is made in their order, for the oldest execution is the
-- one that an event without ids finds.
select plan(4);

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
