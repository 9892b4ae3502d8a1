-- SPEC 2, chain: all chains together never form a cycle, whatever graph they belong to and however they are written.
select plan(17);

select given_graph('one', 'a -> b'), given_graph('two', 'b -> c');
select refuses($$ insert into chain (previous_task_id, next_task_id) values (task_id('b'), task_id('a')) $$, 'OR203', '"b" -> "a" would close a cycle: a -> b -> a', 'a cycle of 2 is refused, naming its path');
select refuses($$ insert into chain (previous_task_id, next_task_id) values (task_id('c'), task_id('a')) $$, 'OR203', '"c" -> "a" would close a cycle: a -> b -> c -> a', 'a cycle of 3 over two graphs');
select given_graph('loose', 'c -> d');
delete from graph_chain where chain_id = chain_id('c', 'd');
select refuses($$ insert into chain (previous_task_id, next_task_id) values (task_id('d'), task_id('a')) $$, 'OR203', 'd -> a', 'a chain in no graph counts too');

select given_task('x'), given_task('y'), given_task('z');
select refuses($$ insert into chain (previous_task_id, next_task_id) values (task_id('x'), task_id('y')), (task_id('y'), task_id('x')) $$, 'OR203', 'would close a cycle', 'two chains of one statement');
select refuses($$ insert into chain (previous_task_id, next_task_id) values (task_id('x'), task_id('y')), (task_id('y'), task_id('z')), (task_id('z'), task_id('x')) $$, 'OR203', 'would close a cycle',
               'three chains of one statement');
select lives_ok($$ insert into chain (previous_task_id, next_task_id) values (task_id('z'), task_id('y')), (task_id('y'), task_id('x')) $$, 'the other way round they are no cycle');
select refuses($$ update chain set previous_task_id = next_task_id, next_task_id = previous_task_id where id = chain_id('b', 'c');
                  insert into chain (previous_task_id, next_task_id) values (task_id('b'), task_id('c')) $$, 'OR203', '"b" -> "c"', 'turned round by UPDATE, then closed');
select refuses($$ update chain set next_task_id = task_id('a') where id = chain_id('c', 'd') $$, 'OR203', '"c" -> "a" would close a cycle', 'closed by UPDATE');
select lives_ok($$ update chain set previous_task_id = next_task_id, next_task_id = previous_task_id where id = chain_id('c', 'd') $$, 'an UPDATE that closes none');
select lives_ok($$ update chain set previous_task_id = next_task_id, next_task_id = previous_task_id $$, 'turning every chain round in one statement');
select lives_ok($$ delete from graph_chain; delete from chain; insert into chain (previous_task_id, next_task_id) values (task_id('b'), task_id('a')) $$, 'once a chain is gone its reverse is allowed');

-- long ones
select given_task('n' || i) from generate_series(1, 400) i;
insert into chain (previous_task_id, next_task_id) select task_id('n' || i), task_id('n' || i + 1) from generate_series(1, 399) i;
select refuses($$ insert into chain (previous_task_id, next_task_id) values (task_id('n30'), task_id('n1')) $$, 'OR203', '"n30" -> "n1" would close a cycle: n1 -> n2 -> n3 .* -> n30 -> n1',
               'a cycle of 30 names its path');
select refuses($$ insert into chain (previous_task_id, next_task_id) values (task_id('n400'), task_id('n1')) $$, 'OR203', '"n400" -> "n1" would close a cycle', 'a cycle of 400');
select refuses($$ insert into chain (previous_task_id, next_task_id) values (task_id('n201'), task_id('n200')) $$, 'OR203', 'n200 -> n201 -> n200', 'a cycle of 2 in the middle of a long path');
select lives_ok($$ insert into chain (previous_task_id, next_task_id) values (task_id('n1'), task_id('n400')), (task_id('n200'), task_id('n399')) $$, 'short cuts are no cycles');

-- the same transaction, another isolation level: what is committed meanwhile would not be seen
select is((select count(*)::int from chain c join task_order p on p.task_id = c.previous_task_id join task_order n on n.task_id = c.next_task_id where p.ord >= n.ord), 0,
          'ord(previous) < ord(next) for every chain');
select is((select count(*) from chain), 402::bigint, 'what was refused left nothing');
