-- What was deployed, and when. `orchestration db apply` adds a row whenever version or functions change.

create table orchestration.schema_release (
    id               bigint generated always as identity primary key,
    applied_at       timestamptz not null default now(),
    version          text        not null,
    functions_sha256 text        not null,
    applied_by       text        not null default session_user,
    constraint version_is_a_migration check (version ~ '^\d{4}\.'),
    constraint functions_sha256_is_a_checksum check (functions_sha256 ~ '^[0-9a-f]{64}$')
);

comment on table orchestration.schema_release is
    'One row for each deployment that changed something; the last one is what the database is at.';
comment on column orchestration.schema_release.id is 'Order of the deployments.';
comment on column orchestration.schema_release.applied_at is 'When its transaction began.';
comment on column orchestration.schema_release.version is 'The newest migration applied.';
comment on column orchestration.schema_release.functions_sha256 is 'Checksum over all function files and grants.sql.';
comment on column orchestration.schema_release.applied_by is 'The role that logged in to deploy.';

-- The migration tool's own tables stand in this schema too, so that a dump of it is whole.
comment on table orchestration._yoyo_migration is 'The migrations applied; kept by orchestration db apply.';
comment on table orchestration._yoyo_log is 'Who applied which migration when; comment is the sha256 of its text.';
comment on table orchestration._yoyo_version is 'The form of the migration tool''s own tables.';
comment on table orchestration.yoyo_lock is 'A row while migrations are applied; a killed run''s is broken by the next.';
