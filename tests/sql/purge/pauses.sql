-- A pause leaves once it is old and no run of its graph is left that lived through it: clocks and explanations of such a run count it.
select plan(9);

select given_graph('g', 'a -> b'), given_graph('h', 'c -> d');
create function pg_temp.days(n integer) returns void language sql as $$
    select set_config('orchestration.clock', (now() + n * interval '1 day')::text, true)
$$;
create function pg_temp.left() returns text language sql as $$
    select coalesce(string_agg(concat_ws(' ', g.name, case when p.resumed_at is null then 'paused' end), ', ' order by p.id), 'none') from orchestration.graph_pause p join orchestration.graph g on g.id = p.graph_id
$$;
select launch_graph('g');
select pg_temp.days(1);
select pause_graph('g'), pause_graph('h');
select pg_temp.days(2);
select resume_graph('g'), resume_graph('h');
select is(purge_all(), 0::bigint, 'what is young stays');
select pg_temp.days(40);
select is(purge_all(), 1::bigint, 'one is of no use any more');
select is(pg_temp.left(), 'g', 'that of the graph without runs; the other counts for a run that is open');
select finish_all('g');
select purge_all();
select is(pg_temp.left(), 'g', 'and for one that has ended, while it is kept');
select pg_temp.days(60);
select launch_graph('g');
select pause_graph('g');
select pg_temp.days(75);
select cmp_ok(purge_all(), '>', 1::bigint, 'the run is purged');
select is(pg_temp.left(), 'g paused', 'and its pause with it; one that goes on stays, however old');
select pg_temp.days(120);
select purge_all();
select is(pg_temp.left(), 'g paused', 'however old');
select resume_graph('g');
select finish_all('g');
select pg_temp.days(200);
select cmp_ok(purge_all(), '>', 1::bigint, 'until it is over');
select is(pg_temp.left(), 'none', 'then it goes too');
