create or replace function orchestration.tg__touch() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: updated_at is kept by the database.
begin
    new.updated_at := orchestration._now();
    return new;
end
$$;
comment on function orchestration.tg__touch() is 'Keeps updated_at.';
create or replace trigger _900_touch before update on orchestration.service for each row execute function orchestration.tg__touch();
create or replace trigger _900_touch before update on orchestration.process for each row execute function orchestration.tg__touch();
create or replace trigger _900_touch before update on orchestration.task for each row execute function orchestration.tg__touch();
create or replace trigger _900_touch before update on orchestration.chain for each row execute function orchestration.tg__touch();
create or replace trigger _900_touch before update on orchestration.graph for each row execute function orchestration.tg__touch();
create or replace trigger _900_touch before update on orchestration.graph_chain for each row execute function orchestration.tg__touch();
create or replace trigger _900_touch before update on orchestration.setting for each row execute function orchestration.tg__touch();
create or replace trigger _900_touch before update on orchestration.dead_letter for each row execute function orchestration.tg__touch();
create or replace trigger _900_touch before update on orchestration.graph_run for each row
    when (new.updated_at is not distinct from old.updated_at) execute function orchestration.tg__touch();
create or replace trigger _900_touch before update on orchestration.task_run for each row
    when (new.updated_at is not distinct from old.updated_at) execute function orchestration.tg__touch();
