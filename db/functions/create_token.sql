create or replace function orchestration.create_token(
    name text, sha256 bytea, hint text, scope text, expires_at timestamptz default null, labels jsonb default null, rate_limit integer default null)
returns bigint
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a new token of the REST API. Whoever calls this made the secret and shows it once; only its hash comes here.
-- Parameters: name, the actor that history will record; sha256 of the token; hint, its first characters; scope; expires_at, null for never;
--          labels a graph must bear, null for all graphs; rate_limit in requests a second, null for the default.
-- Returns: the token's id.
-- Raises:  OR101, OR102, OR106, OR108.
declare
    v_id bigint;
begin
    perform orchestration._check_name('token name', name);
    if create_token.scope is null or create_token.scope not in ('read', 'operate', 'configure', 'admin') then
        perform orchestration._refuse('OR108', format('scope %s of token %s is not known', coalesce(to_json(scope)::text, 'null'), to_json(name)), 'Use read, operate, configure or admin.');
    end if;
    if create_token.expires_at <= orchestration._now() then
        perform orchestration._refuse('OR106', format('token %s would expire in the past', to_json(name)), 'Give an instant to come, or none.');
    end if;
    if jsonb_typeof(create_token.labels) <> 'object' then
        perform orchestration._refuse('OR108', format('labels of token %s are not a JSON object', to_json(name)), 'Write an object such as {"team": "dwh"}.');
    end if;
    if create_token.rate_limit not between 1 and 1000000 then
        perform orchestration._refuse('OR106', format('rate limit of token %s is out of bounds', to_json(name)), 'Use 1 to 1000000 requests a second.');
    end if;
    if exists (select from orchestration.api_token t where t.name = create_token.name) then
        perform orchestration._refuse('OR102', format('token %s exists', to_json(name)), 'Choose another name; names of revoked tokens stay taken, as history bears them.');
    end if;
    insert into orchestration.api_token (name, sha256, hint, scope, expires_at, labels, rate_limit, created_at)
    values (create_token.name, create_token.sha256, create_token.hint, create_token.scope, create_token.expires_at, create_token.labels, create_token.rate_limit, orchestration._now())
    returning id into v_id;
    return v_id;
end
$$;
comment on function orchestration.create_token(text, bytea, text, text, timestamptz, jsonb, integer) is 'A new token of the REST API; answers its id.';
