-- What is not there yet is refused, not silently ignored.
select plan(1);

select given_graph('g', 'a -> b');
select refuses($$ update graph set repeat_policy = 'queue' where name = 'g' $$, 'OR108', 'repeat_policy queue', 'another policy');
