-- What the REST API keeps: its tokens, and the answers it gave to requests that bore an Idempotency-Key.
-- depends: 0006.delivery

create table orchestration.api_token (
    id bigint generated always as identity primary key,
    name text not null,
    scope text not null,
    labels jsonb,
    rate_limit integer,
    sha256 bytea not null,
    hint text not null,
    created_at timestamptz not null default now(),
    created_by text not null default session_user,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    constraint api_token_name_is_unique unique (name),
    constraint api_token_sha256_is_unique unique (sha256),
    constraint api_token_name_is_valid check (name ~ '^[^[:cntrl:]]{1,250}$'),
    constraint api_token_scope_is_known check (scope in ('read', 'operate', 'configure', 'admin')),
    constraint api_token_labels_is_object check (jsonb_typeof(labels) = 'object'),
    constraint api_token_rate_limit_is_sane check (rate_limit between 1 and 1000000),
    constraint api_token_sha256_is_a_hash check (octet_length(sha256) = 32)
);
comment on table orchestration.api_token is 'Bearer tokens of the REST API. The token itself is shown once and stored nowhere: 256 random bits need no slow hash.';
comment on column orchestration.api_token.name is 'Whom it stands for: the actor that history records.';
comment on column orchestration.api_token.scope is 'read < operate < configure < admin; each may do what those before it may.';
comment on column orchestration.api_token.labels is 'Only graphs whose labels contain these; null: all.';
comment on column orchestration.api_token.rate_limit is 'Requests a second; null: the setting api_rate_limit.';
comment on column orchestration.api_token.hint is 'Its first characters, to tell tokens apart in a list.';
comment on column orchestration.api_token.last_used_at is 'To the minute.';

create table orchestration.idempotency_key (
    token_id bigint not null,
    key text not null,
    request_sha256 bytea not null,
    status integer,
    location text,
    body text,
    created_at timestamptz not null default now(),
    primary key (token_id, key)
);
create index idempotency_key_by_age on orchestration.idempotency_key (created_at);
comment on table orchestration.idempotency_key is 'Answers to POSTs that bore an Idempotency-Key, written in the transaction of what they did; remembered for the setting idempotency_memory.';
comment on column orchestration.idempotency_key.request_sha256 is 'Over method, path and body: the same key for another request is refused.';

insert into orchestration.setting (name, value, meaning) values
    ('api_rate_limit', '100', 'number: requests a second of one API token, in each API process'),
    ('idempotency_memory', '24 hours', 'interval: how long the answer to an Idempotency-Key is remembered');
