-- SPEC 4.5: what live runs, history or other definitions use is not deleted: refused, naming the user.
select plan(15);

select given_graph('g', 'a -> b -> c'), given_task('lone');
select refuses($$ delete from service where name = 'airflow' $$, 'OR103', 'service .* is used by process "p_', 'service: its process');
select refuses($$ delete from process where uid = 'p_a' $$, 'OR103', 'process .* is used by task "a"', 'process: its task');
select refuses($$ delete from task where name = 'a' $$, 'OR103', 'task .* is used by chain \d+', 'task: its chain');
select refuses($$ delete from chain where id = chain_id('a', 'b') $$, 'OR103', 'chain .* is used by graph "g"', 'chain: its graph');
select refuses($$ delete from graph where name = 'g' $$, 'OR103', 'graph .* is used by chain \d+', 'graph: its chain');
select lives_ok($$ delete from task where name = 'lone'; delete from process where uid = 'p_lone' $$, 'what nothing uses is deleted');

select launch_graph('g');
delete from graph_chain;
select lives_ok($$ delete from chain $$, 'chains go although a live run went by them: the run keeps its version');
select refuses($$ delete from task where name = 'a' $$, 'OR103', 'task .* is used by task run \d+', 'task: its task run');
select refuses($$ delete from task where name = 'c' $$, 'OR103', 'task .* is used by graph run \d+', 'task: the live run that will come to it');
select refuses($$ delete from graph where name = 'g' $$, 'OR103', 'graph .* is used by graph run \d+', 'graph: its run');
select finish_all('g');
select is(pictures('g'), 'SUCCESS | a SUCCESS | b SUCCESS | c SUCCESS', 'the run goes on to its end');
select refuses($$ delete from task where name = 'c' $$, 'OR103', 'task run', 'history uses a task still');
select refuses($$ delete from graph where name = 'g' $$, 'OR103', 'graph run', 'and a graph');
select lives_ok($$ update task set archived = true where name = 'c'; update graph set archived = true where name = 'g' $$, 'archiving is what is left');
select lives_ok($$ insert into graph (name) values ('empty'); delete from graph where name = 'empty' $$, 'an empty graph is deleted');
