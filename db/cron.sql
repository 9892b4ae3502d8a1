-- pg_cron's jobs, run as the admin at the end of every `orchestration db apply`:
--   orchestration reaper         select orchestration.reap_stale_runs(), each minute, as `orchestration.cron_user`
--   orchestration cron history   keeps pg_cron's own record of our jobs to 7 days
-- Where pg_cron is not in this database a notice names the statement and where to run it; the bridge calls the reaper
-- whenever pg_cron does not.

do $$
declare
    v_reap     constant text := 'select orchestration.reap_stale_runs()';
    v_prune    constant text := 'delete from cron.job_run_details d using cron.job j where j.jobid = d.jobid'
                                ' and j.jobname like ''orchestration %'' and d.start_time < now() - interval ''7 days''';
    v_database constant text := pg_catalog.current_database();
    v_elsewhere constant text := pg_catalog.format(
        'select cron.schedule_in_database(%L, %L, %L, %L);', 'orchestration reaper of ' || v_database, '* * * * *', v_reap, v_database);
    v_looks    constant boolean := pg_catalog.pg_has_role(current_user, 'pg_read_all_settings', 'usage');
    v_user     text := coalesce(nullif(pg_catalog.current_setting('orchestration.cron_user', true), ''), current_user);
    v_loaded   boolean := true;
    v_home     text;
    v_job      record;
begin
    if pg_catalog.to_regprocedure('orchestration.reap_stale_runs()') is null then
        return;
    end if;

    if v_looks then
        v_loaded := pg_catalog.current_setting('shared_preload_libraries') ~ '\mpg_cron\M';
        v_home := pg_catalog.current_setting('cron.database_name', true);
    end if;

    if not v_loaded or not exists (select from pg_catalog.pg_extension where extname = 'pg_cron') then
        raise notice 'the bridge runs the reaper, as pg_cron is not in database %; to have both, %', v_database, case
            when not v_looks then
                'as a superuser, in the database of pg_cron: ' || v_elsewhere
            when not v_loaded then
                'install pg_cron, set shared_preload_libraries = ''pg_cron'' and cron.database_name = '
                || pg_catalog.quote_literal(v_database)
                || ', restart PostgreSQL, then run: orchestration db create, and orchestration db apply'
            when v_home = v_database then
                'as a superuser, in database ' || v_database || ': create extension pg_cron; then run: orchestration db apply'
            else
                'as a superuser, in database ' || v_home || ': ' || v_elsewhere
            end;
        return;
    end if;

    -- A background worker needs no password. The server's own libpq connection would: there the admin's role is used.
    if not v_looks or not pg_catalog.current_setting('cron.use_background_workers', true)::boolean
       or not exists (select from pg_catalog.pg_roles where rolname = v_user and rolcanlogin) then
        v_user := current_user;
    end if;

    -- a name is unique per user only: what another admin or tech user was given goes
    for v_job in
        select jobid from cron.job
         where database = v_database
           and (jobname = 'orchestration reaper' and username <> v_user
                or jobname = 'orchestration cron history' and username <> current_user)
    loop
        perform cron.unschedule(v_job.jobid);
    end loop;
    perform cron.schedule_in_database('orchestration reaper', '* * * * *', v_reap, v_database, v_user);
    perform cron.schedule_in_database('orchestration cron history', '17 3 * * *', v_prune, v_database, current_user::text);
exception
    when insufficient_privilege then
        raise notice 'the bridge runs the reaper, as role % may not schedule jobs of pg_cron; to have both, as a superuser in database %: %',
            current_user, v_database, v_elsewhere;
end
$$;
