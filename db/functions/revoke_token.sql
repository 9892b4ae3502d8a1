create or replace function orchestration.revoke_token(name text) returns void
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a token counts no more, from the next second on. Again is no error.
-- Raises:  OR401 unknown token.
begin
    update orchestration.api_token t set revoked_at = coalesce(t.revoked_at, orchestration._now()) where t.name = revoke_token.name;
    if not found then
        perform orchestration._refuse('OR401', format('token %s does not exist', coalesce(to_json(name)::text, 'null')), 'List them: orchestration tokens list.');
    end if;
end
$$;
comment on function orchestration.revoke_token(text) is 'A token counts no more.';
