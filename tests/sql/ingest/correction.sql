-- SPEC 4.6, 5: what a correction starts is answered to the bridge that brought it, as any dispatch of its batch: it holds the claim.
select plan(4);

select given_graph('g', 'a -> b -> c');
create temporary table bridge as select given_topic() as id;
select is(array(select * from feed((select id from bridge), jsonb_build_object('service', 'airflow', 'process', 'p_a', 'status', 'SUCCESS'))), array['b'], 'a batch');
select is(array(select * from feed((select id from bridge), jsonb_build_object('task_run_id', at(run('g'), 'b'), 'status', 'FAILED'))), '{}', 'a failure');
select is(array(select * from feed((select id from bridge), jsonb_build_object('task_run_id', at(run('g'), 'b'), 'status', 'SUCCESS'))), array['c'], 'a correction');
select is((select array_agg(d.bridge_id) from dispatch d where d.task_run_id = at(run('g', 2), 'c')), array[(select id from bridge)], 'claimed by it');
