create or replace function orchestration.tg_graph_chain__mark() returns trigger
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: an edit leaves a marker; the next run's start compiles a version. Writes: graph_change.
begin
    if tg_op = 'UPDATE' then
        insert into orchestration.graph_change (graph_id) select graph_id from changed union select graph_id from before;
    else
        insert into orchestration.graph_change (graph_id) select distinct graph_id from changed;
    end if;
    return null;
end
$$;
comment on function orchestration.tg_graph_chain__mark() is 'Marks the graphs an edit changed.';
create or replace trigger _500_mark after insert on orchestration.graph_chain referencing new table as changed for each statement execute function orchestration.tg_graph_chain__mark();
create or replace trigger _500_mark_delete after delete on orchestration.graph_chain referencing old table as changed for each statement execute function orchestration.tg_graph_chain__mark();
create or replace trigger _500_mark_update after update on orchestration.graph_chain referencing old table as before new table as changed for each statement execute function orchestration.tg_graph_chain__mark();
