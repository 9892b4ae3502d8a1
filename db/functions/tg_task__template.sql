create or replace function orchestration.tg_task__template() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: compile the config template when it is written, and keep what came of it. Raises: OR104.
-- Calls:   _template_pieces.
-- Writes:  task_placeholder.
begin
    delete from orchestration.task_placeholder h where h.task_id = new.id;
    insert into orchestration.task_placeholder (task_id, n, place, piece, path, spelled, whole, upstream)
    select new.id, c.n, c.place, c.piece, c.path, c.spelled, c.whole, c.upstream from orchestration._template_pieces(new.name, new.config_template) c;
    return null;
end
$$;
comment on function orchestration.tg_task__template() is 'Compiles the config template.';
create or replace trigger _400_template after insert on orchestration.task for each row
    when (strpos(new.config_template::text, '{{') > 0) execute function orchestration.tg_task__template();
create or replace trigger _400_template_update after update on orchestration.task for each row
    when (old.config_template is distinct from new.config_template) execute function orchestration.tg_task__template();
