-- SPEC 4.9: INSERT graph_run_task_run only into an open run's still empty place, which it fills.
select plan(24);

select given_task('r', 'nifi'), given_graph('g', 'a -> b -> c', '[r, b] -> d'), given_task('z');
create function pg_temp.ended(task text, status text, run_key text default null) returns bigint language plpgsql as $$
-- A task run in that state that stands in no graph run.
declare
    v_id bigint;
begin
    insert into orchestration.task_run (task_id, run_key) values (tap.task_id(task), run_key) returning id into v_id;
    if status <> 'DISPATCHED' then
        perform tap.tell(v_id, status);
    end if;
    return v_id;
end
$$;
select launch_graph('g');
-- a success
create temp table b as select pg_temp.ended('b', 'SUCCESS') as id;
insert into graph_run_task_run (graph_run_id, task_run_id) select run('g'), id from b;
select is(picture(run('g')), 'RUNNING | a DISPATCHED | b SUCCESS | c DISPATCHED | d - | r awaited', 'a success fills the place, and starts what it unblocks');
select is(at(run('g'), 'b'), (select id from b), 'the place has that task run');
select finish(run('g'), 'a');
select is(picture(run('g')), 'RUNNING | a SUCCESS | b SUCCESS | c DISPATCHED | d - | r awaited', 'its predecessor does not start it again');
select is((select count(*)::int from task_run where task_id = task_id('b')), 1, 'one task run of b');
-- an awaited root
insert into task_run (task_id, status, run_key) values (task_id('r'), 'RUNNING', 'elsewhere');
insert into graph_run_task_run (graph_run_id, task_run_id) select run('g'), id from task_run where task_id = task_id('r');
select is(picture(run('g')), 'RUNNING | a SUCCESS | b SUCCESS | c DISPATCHED | d - | r RUNNING', 'a task run in flight fills the place of an awaited root');
select is((select count(*)::int from awaited_root where graph_run_id = run('g')), 0, 'which is awaited no more');
select say('r', 'SUCCESS', 'elsewhere');
select is(picture(run('g')), 'RUNNING | a SUCCESS | b SUCCESS | c DISPATCHED | d DISPATCHED | r SUCCESS', 'and its end counts');
select finish(run('g'), 'c'); select finish(run('g'), 'd');
select is((select status from graph_run where id = run('g')), 'SUCCESS', 'the run ends');
-- a failure
select launch_graph('g');
insert into graph_run_task_run (graph_run_id, task_run_id) select run('g', 2), pg_temp.ended('b', 'FAILED');
select is(picture(run('g', 2)), 'RUNNING | a DISPATCHED | b FAILED | c SKIPPED | d SKIPPED | r awaited', 'a failure skips what is downstream');
select finish(run('g', 2), 'a'); select say('r', 'SUCCESS');
select is(picture(run('g', 2)), 'FAILED | a SUCCESS | b FAILED | c SKIPPED | d SKIPPED | r SUCCESS', 'and the run ends FAILED');
-- a leaf
select launch_graph('g');
insert into graph_run_task_run (graph_run_id, task_run_id) select run('g', 3), pg_temp.ended('c', 'SUCCESS');
select finish(run('g', 3), 'a'); select finish(run('g', 3), 'b'); select say('r', 'SUCCESS'); select finish(run('g', 3), 'd');
select is(picture(run('g', 3)), 'SUCCESS | a SUCCESS | b SUCCESS | c SUCCESS | d SUCCESS | r SUCCESS', 'a filled leaf counts as ended');
select is((select count(*)::int from task_run where task_id = task_id('c')), 3, 'and is not started');

-- refusals
select launch_graph('g');
select refuses(format('insert into graph_run_task_run (graph_run_id, task_run_id) values (%s, %s)', run('g', 4), pg_temp.ended('a', 'SUCCESS')), 'OR303', format('has a task run in graph run %s', run('g', 4)), 'a place that is taken');
select refuses(format('insert into graph_run_task_run (graph_run_id, task_run_id) values (%s, %s)', run('g', 4), at(run('g', 4), 'a')), 'OR303', format('has a task run in graph run %s', run('g', 4)), 'the link that is there already');
select refuses(format('insert into graph_run_task_run (graph_run_id, task_run_id) values (%s, %s)', run('g', 1), pg_temp.ended('b', 'SUCCESS')), 'OR303', format('graph run %s has ended SUCCESS', run('g', 1)), 'an ended run');
select refuses(format('insert into graph_run_task_run (graph_run_id, task_run_id) values (%s, %s)', run('g', 4), pg_temp.ended('z', 'SUCCESS')), 'OR303', format('is not in graph run %s', run('g', 4)), 'a task that is not in the run''s version');
select refuses(format('insert into graph_run_task_run (graph_run_id, task_run_id) values (-1, %s)', (select id from b)), 'OR401', 'graph run -1', 'an unknown graph run');
select refuses(format('insert into graph_run_task_run (graph_run_id, task_run_id) values (%s, -1)', run('g', 4)), 'OR401', 'task run -1', 'an unknown task run');
select refuses(format('insert into graph_run_task_run (graph_run_id, task_run_id) values (null, %s)', (select id from b)), 'OR401', 'graph run null', 'no graph run');
-- shared by two runs
select launch_graph('g');
create temp table shared as select pg_temp.ended('b', 'DISPATCHED') as id;
insert into graph_run_task_run (graph_run_id, task_run_id) select run('g', n), shared.id from shared, generate_series(4, 5) n;
select tell((select id from shared), 'SUCCESS');
select is(picture(run('g', 4)) || E'\n' || picture(run('g', 5)), E'RUNNING | a DISPATCHED | b SUCCESS | c DISPATCHED | d - | r awaited\nRUNNING | a DISPATCHED | b SUCCESS | c DISPATCHED | d - | r awaited', 'one task run may fill places of two runs');
-- all places of a join filled in one statement
select given_graph('j', 'p -> s', 'q -> s');
select launch_graph('j');
update graph_run set status = 'CANCELLED' where id = run('j');
select given_task('p2', 'nifi'), given_task('q2', 'nifi'), given_graph('k', '[p2, q2] -> s2');
select launch_graph('k');
insert into task_run (task_id, status, run_key) values (task_id('p2'), 'SUCCESS', 'else'), (task_id('q2'), 'SUCCESS', 'else');
insert into graph_run_task_run (graph_run_id, task_run_id) select run('k', 1), id from task_run where task_id in (task_id('p2'), task_id('q2'));
select is(picture(run('k', 1)), 'RUNNING | p2 SUCCESS | q2 SUCCESS | s2 DISPATCHED', 'both predecessors of a join in one statement start it once');
select is((select count(*)::int from graph_run_task_run where graph_run_id = run('k', 1)), 3, 'three places, three task runs');
select is((select source from last_event(at(run('k', 1), 's2'))), 'sql', 'source sql');
select is(letters(), 'none', 'no dead letter');
