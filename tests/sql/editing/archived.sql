-- SPEC 4.5: `archived` (service, process, task, graph) hides it and takes it out of resolution; it never strands work in flight.
select plan(25);

-- a graph
select given_graph('g', 'a -> b');
select launch_graph('g', run_key => 'old');
update graph set archived = true where name = 'g';
select finish(run('g'), 'a');
select is(pictures('g'), 'RUNNING | a SUCCESS | b DISPATCHED', 'an archived graph: what is in flight goes on');
select is(task_of(say('a', 'SUCCESS', 'k')), 'a', 'an event of its root is recorded');
select is((select count(*)::int from graph_run where graph_id = graph_id('g')), 1, 'but opens no run');
select given_graph('up', 'r -> a');
select launch_graph('up'); select finish(run('up'), 'r'); select finish(run('up'), 'a');
select is((select count(*)::int from graph_run where graph_id = graph_id('g')), 1, 'nor does a success of another graph');
update graph set archived = false where name = 'g';
select say('a', 'SUCCESS', 'back');
select is(picture(run('g', -1)), 'RUNNING | a SUCCESS | b DISPATCHED', 'unarchived, it runs again');

-- a task
select given_graph('t', 'c -> d -> e');
select launch_graph('t'), launch_graph('t', run_key => 'x'), launch_graph('t', run_key => 'y');
update task set archived = true where name in ('c', 'd');
select is(picture(run('t', 1)), 'RUNNING | c DISPATCHED | d - | e -', 'a task archived while runs are in flight');
select is(finish(run('t', 1), 'c'), at(run('t', 1), 'c'), 'its execution reports by task_run_id');
select is(picture(run('t', 1)), 'RUNNING | c SUCCESS | d DISPATCHED | e -', 'and its successor, archived too, starts: the run is pinned');
select tell(at(run('t', 2), 'c'), 'RUNNING', ext => 'e1');
select is(say('c', 'SUCCESS', 'x', 'e1'), at(run('t', 2), 'c'), 'by a known external_id');
select is(say('c', 'SUCCESS', 'y'), at(run('t', 3), 'c'), 'in flight, for a tool that cannot echo ids: work in flight is not stranded');
select is(letters(), 'none', 'no dead letter');
select finish_all('t');
select is((select count(*)::int from graph_run where graph_id = graph_id('t') and status = 'SUCCESS'), 3, 'all end');
select is(report('{"service": "airflow", "process": "p_c", "status": "SUCCESS", "run_key": "z"}'), null, 'new work of an archived task');
select is(letters(1), 'unknown', 'is unknown');
select is((select count(*)::int from graph_run where graph_id = graph_id('t')), 3, 'and opens no run');
select refuses($$ select launch_graph('t') $$, 'OR402', 'graph "t"', 'a graph whose tasks are archived has none');
update task set archived = false where name = 'd';
select is(picture(launch_graph('t')), 'RUNNING | d DISPATCHED | e -', 'what is left of it runs');

-- process and service
select given_graph('u', 'f -> h');
update process set archived = true where uid = 'p_f';
select is(report('{"service": "airflow", "process": "p_f", "status": "SUCCESS"}'), null, 'an archived process is unknown');
update process set archived = false where uid = 'p_f';
select is(task_of(say('f', 'SUCCESS')), 'f', 'until it is back');
update service set archived = true where name = 'airflow';
select is(report('{"service": "airflow", "process": "p_f", "status": "SUCCESS"}'), null, 'an archived service is unknown');
select is(letters(3), 'unknown, unknown, unknown', 'all `unknown`');
update service set archived = false where name = 'airflow';
select is(picture(run('u')), 'RUNNING | f SUCCESS | h DISPATCHED', 'the run of the time between goes on');
select is(say('h', 'SUCCESS'), at(run('u'), 'h'), 'to its end');
-- names stay taken
select refuses($$ insert into graph (name) values ('g') $$, 'OR102', '"g"', 'names stay unique');
select is((select status from graph_run where id = run('u')), 'SUCCESS', 'ended');
