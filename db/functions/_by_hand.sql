create or replace function orchestration._by_hand(p_what text, p_reason text) returns text
language sql stable
set search_path = ''
as $$
    -- Purpose: words for detail: what somebody did, who (the application's user, else the database's), and why.
    select p_what || ' by ' || coalesce(nullif(current_setting('orchestration.actor', true), ''), session_user::text) || coalesce(': ' || nullif(btrim(p_reason), ''), '')
$$;
comment on function orchestration._by_hand(text, text) is 'Words: what was done by whom and why.';
