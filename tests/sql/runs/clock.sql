-- SPEC 2: one clock function. A graph run opened by an event, a repeat, a partial run and a launch are made at its instant.
select plan(4);

select given_graph('g', 'a -> b', 'b -> c');
select clock('2026-11-22T03:00:00Z');
select say('a', 'SUCCESS');
select is((select created_at from graph_run where id = run('g')), timestamptz '2026-11-22T03:00:00Z', 'opened by an event');
select finish(run('g'), 'b');
select clock('2026-11-22T04:00:00Z');
select say('b', 'SUCCESS', 'z', 'work of its own');
select is((select created_at from graph_run where id = run('g', 2)), timestamptz '2026-11-22T04:00:00Z', 'a partial run');
select clock('2026-11-22T05:00:00Z');
select say('a', 'SUCCESS', 'k'), say('a', 'SUCCESS', 'k');
select is((select created_at from graph_run where id = run('g', 4)), timestamptz '2026-11-22T05:00:00Z', 'opened by a repeat');
select launch_graph('g');
select is((select created_at from graph_run where id = run('g', 5)), timestamptz '2026-11-22T05:00:00Z', 'launched');
