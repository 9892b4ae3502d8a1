create or replace function orchestration._compile_around(p_task_ids bigint[]) returns void
language plpgsql
set search_path = ''
as $$
-- Purpose: before asking where these tasks are roots: compile the edited graphs that hold them, or held them in their head version.
-- Calls:   _compile.
declare
    v_graph_ids bigint[];
begin
    if not exists (select from orchestration.graph_change) then
        return;
    end if;
    select array_agg(distinct g.graph_id) into v_graph_ids
    from (select gc.graph_id from orchestration.chain c join orchestration.graph_chain gc on gc.chain_id = c.id
          where c.previous_task_id = any (p_task_ids) or c.next_task_id = any (p_task_ids)
          union all
          select r.graph_id from orchestration.graph_root r where r.task_id = any (p_task_ids)) g
    where g.graph_id in (select m.graph_id from orchestration.graph_change m);
    if v_graph_ids is not null then
        perform orchestration._compile(v_graph_ids);
    end if;
end
$$;
comment on function orchestration._compile_around(bigint[]) is 'Compiles the edited graphs that these tasks belong to.';
