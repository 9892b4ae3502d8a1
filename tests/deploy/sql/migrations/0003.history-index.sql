create index task_run_event_task_run on orchestration.task_run_event (task_run_id);

alter table orchestration.task_run
    add constraint status_is_known check (status in ('QUEUED', 'DISPATCHED', 'RUNNING', 'SUCCESS', 'FAILED'));

comment on constraint status_is_known on orchestration.task_run is '100 % of the words; not one more';
