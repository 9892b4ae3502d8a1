revoke all on all tables in schema orchestration from orchestration_app, orchestration_reader;
revoke execute on all functions in schema orchestration from public, orchestration_app, orchestration_reader;
grant select on all tables in schema orchestration to orchestration_reader;
grant select, insert, update on orchestration.task_run to orchestration_app;
grant insert on orchestration.task_run_event to orchestration_app;
grant execute on all functions in schema orchestration to orchestration_app;
