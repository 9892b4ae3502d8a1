create or replace function orchestration.tg_graph__mark() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a graph that is archived or comes back is compiled at the next run's start. Writes: graph_change.
begin
    insert into orchestration.graph_change (graph_id) values (new.id);
    return null;
end
$$;
comment on function orchestration.tg_graph__mark() is 'Marks a graph whose archived flag changed.';
create or replace trigger _500_mark after update on orchestration.graph for each row
    when (old.archived is distinct from new.archived) execute function orchestration.tg_graph__mark();
