create or replace function orchestration._check_name(what text, name text) returns void
language plpgsql
set search_path = ''
as $$
-- Purpose: names, uids and keys: 1 to 250 characters, none of them a control character.
-- Raises: OR101.
begin
    if name is null or char_length(name) not between 1 and 250 or name ~ '[[:cntrl:]]' then
        perform orchestration._refuse('OR101', format('%s %s is not usable', what, coalesce(to_json(left(name, 80))::text, 'null')),
            'Use 1 to 250 characters without control characters.');
    end if;
end
$$;
comment on function orchestration._check_name(text, text) is 'Refuses (OR101) what cannot be a name, uid or key.';
