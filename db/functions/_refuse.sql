create or replace function orchestration._refuse(code text, message text, hint text) returns void
language plpgsql
set search_path = ''
as $$
-- Purpose: refuse with an SQLSTATE of ours (error_codes lists them), a message naming the object and a hint saying what to do.
begin
    raise exception using errcode = _refuse.code, message = _refuse.message, hint = _refuse.hint;
end
$$;
comment on function orchestration._refuse(text, text, text) is 'Raises: SQLSTATE code, message, hint.';
