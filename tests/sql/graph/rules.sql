-- SPEC 2, graph: name unique, known policy, labels an object, timeout within bounds, 7 days by default (4.6).
select plan(15);

select lives_ok($$ insert into graph (name, owner, labels) values ('g', 'team', '{"a": 1}') $$, 'a graph');
select is((select (repeat_policy, timeout, paused, archived)::text from graph where name = 'g'), '(latest,"7 days",f,f)', 'defaults');
select refuses($$ insert into graph (name) values ('g') $$, 'OR102', 'graph "g" exists', 'a name that is taken');
select refuses($$ insert into graph (name) values ('') $$, 'OR101', 'graph name ""', 'an empty name');
select refuses($$ insert into graph (name) values (null) $$, 'OR101', 'graph name null', 'no name');
select refuses($$ insert into graph (name) values (E'a\rb') $$, 'OR101', 'graph name', 'a control character');
select refuses($$ insert into graph (name) values (repeat('g', 251)) $$, 'OR101', 'graph name', '251 characters');
select refuses($$ update graph set labels = '[]' where name = 'g' $$, 'OR108', 'labels of graph "g"', 'labels that are an array');
select refuses($$ update graph set labels = null where name = 'g' $$, 'OR108', 'labels of graph "g"', 'labels null');
select refuses($$ update graph set repeat_policy = 'newest' where name = 'g' $$, 'OR108', 'repeat_policy of graph "g" is "newest"', 'an unknown policy');
select refuses($$ update graph set repeat_policy = null where name = 'g' $$, 'OR108', 'repeat_policy of graph "g" is null', 'no policy');
select refuses($$ update graph set timeout = interval '0' where name = 'g' $$, 'OR106', 'timeout of graph "g"', 'a timeout of 0');
select refuses($$ update graph set timeout = interval '-1 hour' where name = 'g' $$, 'OR106', 'timeout of graph "g"', 'a negative timeout');
select refuses($$ update graph set timeout = interval '11 years' where name = 'g' $$, 'OR106', 'timeout of graph "g"', 'a timeout beyond all reason');
select lives_ok($$ update graph set timeout = null, name = 'h' where name = 'g' $$, 'no timeout, another name');
