create or replace function orchestration.new_installation() returns uuid
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a new installation id: at the first apply, and after a restore, so that ids issued twice never meet. Writes: installation.
declare
    v_id uuid := gen_random_uuid();
begin
    insert into orchestration.installation as i (id) values (v_id)
    on conflict (only_row) do update set id = excluded.id, created_at = orchestration._now();
    return v_id;
end
$$;
comment on function orchestration.new_installation() is 'Makes and answers a new installation id.';
