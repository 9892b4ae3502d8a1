create or replace function orchestration.authenticate(sha256 bytea)
returns table (id bigint, name text, scope text, labels jsonb, rate_limit integer, expires_at timestamptz)
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: whose token is this? Notes its use, at most once a minute, so that reading costs no write.
-- Parameters: sha256 of the token.
-- Returns: one row; none where the token is unknown, expired or revoked.
declare
    v_now timestamptz := orchestration._now();
begin
    update orchestration.api_token t set last_used_at = v_now
    where t.sha256 = authenticate.sha256 and t.revoked_at is null and (t.expires_at is null or t.expires_at > v_now)
      and (t.last_used_at is null or t.last_used_at < v_now - interval '1 minute');
    return query
    select t.id, t.name, t.scope, t.labels, coalesce(t.rate_limit, (select s.value::integer from orchestration.setting s where s.name = 'api_rate_limit')), t.expires_at
    from orchestration.api_token t
    where t.sha256 = authenticate.sha256 and t.revoked_at is null and (t.expires_at is null or t.expires_at > v_now);
end
$$;
comment on function orchestration.authenticate(bytea) is 'Whose token is this; no row where it does not count.';
