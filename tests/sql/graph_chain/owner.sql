-- SPEC 2, graph_chain: a chain belongs to one graph; a second is an error naming the owner.
select plan(9);

select given_graph('one', 'a -> b'), given_graph('two', 'c -> d');
select refuses($$ insert into graph_chain (graph_id, chain_id) values (graph_id('two'), chain_id('a', 'b')) $$, 'OR205', 'chain \d+ belongs to graph "one"', 'a second graph: the owner is named');
select refuses($$ insert into graph_chain (graph_id, chain_id) values (graph_id('one'), chain_id('a', 'b')) $$, 'OR205', 'graph "one"', 'the same graph again');
select refuses($$ update graph_chain set chain_id = chain_id('a', 'b') where graph_id = graph_id('two') $$, 'OR205', 'graph "one"', 'by UPDATE of the chain');
select refuses($$ insert into graph_chain (graph_id, chain_id) values (-1, chain_id('a', 'b')) $$, 'OR107', 'graph -1', 'a graph that is not there');
select refuses($$ insert into graph_chain (graph_id, chain_id) values (graph_id('one'), -1) $$, 'OR107', 'chain -1', 'a chain that is not there');
select refuses($$ insert into graph_chain (graph_id, chain_id) values (null, null) $$, 'OR107', 'null', 'nulls');
select lives_ok($$ update graph_chain set graph_id = graph_id('two') where chain_id = chain_id('a', 'b') $$, 'a chain can move to another graph');
select is(picture(launch_graph('two')), 'RUNNING | a DISPATCHED | b - | c DISPATCHED | d -', 'whose next run has it');
select refuses($$ select launch_graph('one') $$, 'OR402', 'graph "one"', 'and whose former graph has no task left');
