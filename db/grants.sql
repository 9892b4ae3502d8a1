-- Who may do what. Applied last, every time, as the owner: first everything is taken away, then given by role.
-- the record's partitions, ahead of time, so that they get their rights with all others
select orchestration._create_partitions();

revoke all on all tables in schema orchestration from public, orchestration_app, orchestration_reader;
revoke all on all sequences in schema orchestration from public, orchestration_app, orchestration_reader;
revoke all on all functions in schema orchestration from public, orchestration_app, orchestration_reader;
revoke all on schema orchestration from public;
grant usage on schema orchestration to orchestration_app, orchestration_reader;

-- the application: definitions and run tables under their rules, functions whose names do not begin with an underscore
grant select on all tables in schema orchestration to orchestration_app, orchestration_reader;
revoke select on orchestration.api_token, orchestration.idempotency_key from orchestration_reader;
grant insert, update, delete on orchestration.service, orchestration.process, orchestration.task, orchestration.chain, orchestration.graph,
    orchestration.graph_chain, orchestration.graph_run, orchestration.task_run, orchestration.graph_run_task_run to orchestration_app;
do $$
declare
    v_function regprocedure;
begin
    for v_function in
        select p.oid::regprocedure from pg_catalog.pg_proc p
        where p.pronamespace = 'orchestration'::regnamespace and p.proname !~ '^(_|tg_)' and p.prokind = 'f'
    loop
        execute format('grant execute on function %s to orchestration_app', v_function);
    end loop;
    for v_function in
        select p.oid::regprocedure from pg_catalog.pg_proc p
        where p.pronamespace = 'orchestration'::regnamespace and p.proname in ('_now', '_refuse')
    loop
        execute format('grant execute on function %s to orchestration_app', v_function);
    end loop;
end
$$;
grant execute on function orchestration.error_codes(), orchestration.service_status() to orchestration_reader;
