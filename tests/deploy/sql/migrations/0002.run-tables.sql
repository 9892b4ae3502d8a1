-- A small stand-in for the real tables: what the deployment's tests need, and nothing else.

create table orchestration.installation (
    only_row boolean primary key default true check (only_row),
    id       uuid not null default gen_random_uuid()
);

create table orchestration.task_run (
    id         bigint generated always as identity primary key,
    status     text        not null default 'QUEUED',
    updated_at timestamptz not null default now()
);

create table orchestration.task_run_event (
    id          bigint generated always as identity,
    at          timestamptz not null default now(),
    task_run_id bigint not null,
    new_status  text   not null,
    primary key (id, at)
) partition by range (at);

do $$
begin
    execute format('create table orchestration.task_run_event_%s partition of orchestration.task_run_event'
                   ' for values from (%L) to (%L)', 'all', '-infinity', 'infinity');
end
$$;
