-- What is not there yet is refused, not silently ignored.
select plan(2);

select given_graph('g', 'a -> b');
select refuses($$ update graph set paused = true where name = 'g' $$, 'OR108', 'pausing graph "g"', 'a pause');
select refuses($$ update graph set repeat_policy = 'queue' where name = 'g' $$, 'OR108', 'repeat_policy queue', 'another policy');
