-- SPEC 4.4: resume sends the oldest run first; resume_graph(graph, skip => true) cancels what was held.
select plan(22);

select given_task('r', 'nifi'), given_task('q', 'nifi'), given_graph('g', 'r -> a -> c', '[q, a] -> d'), given_graph('h', 'x -> y');
create temp table bridge as select given_topic() as id;
create function pg_temp.sent() returns text language sql as $$
    -- what a bridge takes, in its order: task and run key
    select string_agg(concat_ws(' ', tap.task_of(d.task_run_id), (d.value::jsonb ->> 'run_key')), ', ' order by d.i)
    from (select x.*, row_number() over () as i from orchestration.take_dispatches((select id from bridge), 100) x) d
$$;

-- the oldest run first, whatever was held first
select say('r', 'SUCCESS', '1'), say('r', 'SUCCESS', '2'), say('r', 'SUCCESS', '3');
select pg_temp.sent();
select pause_graph('g');
select finish(run('g', 3), 'a'), finish(run('g', 2), 'a'), say('r', 'SUCCESS', '4'), finish(run('g', 1), 'a');
select launch_graph('h', run_key => 'h');
select is(pg_temp.sent(), 'x h', 'another graph goes on');
select launch_graph('h', run_key => 'i');
select resume_graph('g');
select launch_graph('h', run_key => 'j');
select is(pg_temp.sent(), 'c 1, c 2, c 3, a 4, x i, x j', 'the oldest run first, in the place of what was held');
select is(pg_temp.sent(), null, 'once');
select is((select count(*)::int from task_run where status = 'QUEUED'), 0, 'nothing is held any more');

-- skip: what is held is cancelled, with all that waits for a retry
update task set max_attempts = 3 where name = 'a';
select say('r', 'SUCCESS', '5'), say('q', 'SUCCESS', '5');
select say('r', 'SUCCESS', '6'), finish(run('g', -1), 'a', 'FAILED');
select pause_graph('g');
select finish(run('g', 5), 'a'), say('r', 'SUCCESS', '7');
select is(picture(run('g', 5)), 'RUNNING | a SUCCESS | c QUEUED | d QUEUED | q SUCCESS | r SUCCESS', 'held');
select resume_graph('g', skip => true);
select is(picture(run('g', 5)), 'CANCELLED | a SUCCESS | c CANCELLED | d CANCELLED | q SUCCESS | r SUCCESS', 'skipped: cancelled, and the run ends');
select is(state(at(run('g', 5), 'c')), 'CANCELLED cancelled', 'reason cancelled');
select is((select detail from task_run where id = at(run('g', 5), 'c')), 'skipped at the resume of the graph by ' || session_user, 'and why');
select is(picture(run('g', 6)), 'RUNNING | a CANCELLED | c SKIPPED | d SKIPPED | q awaited | r SUCCESS', 'a retry too; the run still awaits a root');
select is(picture(run('g', 7)), 'RUNNING | a CANCELLED | c SKIPPED | d SKIPPED | q awaited | r SUCCESS', 'a run that was opened in the pause');
select is((select string_agg(concat_ws(' ', skipped, resumed_at is not null), ', ' order by id) from graph_pause where graph_id = graph_id('g')), 'f t, t t', 'the record says so');
select is((select paused from graph where name = 'g'), false, 'it goes on');
select say('r', 'SUCCESS', '8');
select is(state(at(run('g', -1), 'a')), 'DISPATCHED', 'with what comes next');
select pause_graph('g'), resume_graph('g');
select is((select skipped from graph_pause order by id desc limit 1), false, 'skip is of one resume only');

-- shared with a run of another graph: where its home is decides
select pause_graph('g'), say('r', 'SUCCESS', '9');
select given_graph('i', 'k -> m');
select launch_graph('i');
set local session_replication_role = replica;
update graph_run set version_id = (select version_id from graph_run where id = run('g', -1)), open_count = 5 where id = run('i');
set local session_replication_role = origin;
insert into graph_run_task_run (graph_run_id, task_run_id) values (run('i'), at(run('g', -1), 'a'));
select is(at(run('i'), 'a'), at(run('g', -1), 'a'), 'held, in a run of a graph that is not paused too');
select pause_graph('i'), resume_graph('i');
select is(state(at(run('i'), 'a')), 'QUEUED', 'held as long as the graph of its home is paused');
select pause_graph('i'), resume_graph('g');
select is(state(at(run('i'), 'a')), 'DISPATCHED', 'sent when that is resumed, whatever the other');
select resume_graph('i');

-- many at once, by plain SQL
select launch_graph('h') from generate_series(1, 20);
update graph set paused = true where name in ('g', 'h', 'i');
select finish(r.id, 'x') from graph_run r where r.graph_id = graph_id('h') and r.status = 'RUNNING' order by r.id desc;
select say('r', 'SUCCESS', 'k' || n) from generate_series(1, 3) n;
select is((select count(*)::int from task_run where status = 'QUEUED' and due_at = 'infinity'), 26, 'three graphs paused in one statement');
select is((select count(*)::int from graph_pause where resumed_at is null), 3, 'each has its pause');
select pg_temp.sent();
update graph set paused = false where paused;
select is((select count(*)::int from task_run where status = 'QUEUED'), 0, 'and resumed in one');
select is((select count(*)::int from (select t.id, lag(t.graph_run_id) over (order by coalesce(d.send_order, d.task_run_id)) > t.graph_run_id as back
           from dispatch d join task_run t on t.id = d.task_run_id join graph_run r on r.id = t.graph_run_id and r.graph_id = graph_id('h') where d.bridge_id is null) x where x.back), 0, 'each in the order of its runs');
select is((select count(*)::int from dispatch where bridge_id is null), 26, 'all are in the outbox');
