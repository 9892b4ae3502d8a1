-- SPEC 2: updated_at is kept by the database; created_at stands.
select plan(8);

select clock('2030-01-01T00:00:00Z');
select given_graph('g', 'a -> b');
create temp table before as
select 'service' as name, min(created_at) as at from service union all select 'process', min(created_at) from process union all select 'task', min(created_at) from task
union all select 'chain', min(created_at) from chain union all select 'graph', min(created_at) from graph union all select 'graph_chain', min(created_at) from graph_chain;
select clock('2031-02-03T04:05:06Z');
update service set corrections = false, updated_at = '1999-01-01';
update process set uid = uid || 'x';
update task set timeout = '1 hour';
update chain set next_task_id = next_task_id;
update graph set owner = 'me';
update graph_chain set graph_id = graph_id;
select is((select min(updated_at) from service), '2031-02-03T04:05:06Z'::timestamptz, 'service, and whoever writes updated_at writes in vain');
select is((select min(updated_at) from process), '2031-02-03T04:05:06Z'::timestamptz, 'process');
select is((select min(updated_at) from task), '2031-02-03T04:05:06Z'::timestamptz, 'task');
select is((select min(updated_at) from chain), '2031-02-03T04:05:06Z'::timestamptz, 'chain');
select is((select min(updated_at) from graph), '2031-02-03T04:05:06Z'::timestamptz, 'graph');
select is((select min(updated_at) from graph_chain), '2031-02-03T04:05:06Z'::timestamptz, 'graph_chain');
select is((select count(*)::int from before b where b.at is null), 0, 'every row has created_at');
select is((select min(created_at) from task), (select at from before where name = 'task'), 'which stands');
