create or replace function orchestration._redone_in(p_graph_run_id bigint, p_task_id bigint, p_graph_id bigint) returns bigint
language plpgsql stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
-- Purpose: where did this task stand before it was redone? Goes back along the runs that a run took over to the first whose task run of
--          the task stood in a run of the other graph; was that taken over since, the run that has it now is meant.
-- Parameters: the run that redid the task, the task, the other graph.
-- Returns: the run of that graph to take over; null: none, or one opened by hand, which no event takes over.
declare
    v_run bigint := p_graph_run_id;
    v_task_run bigint;
    v_id bigint;
    v_next bigint;
begin
    loop
        select r.replaces_id into v_run from orchestration.graph_run r where r.id = v_run;
        exit when v_run is null;
        select l.task_run_id into v_task_run
        from orchestration.graph_run_task_run l
        where l.graph_run_id = v_run and l.task_id = p_task_id
        order by l.attempt desc limit 1;
        if found then
            select max(l.graph_run_id) into v_id
            from orchestration.graph_run_task_run l
            where l.task_run_id = v_task_run
              and (select r.graph_id from orchestration.graph_run r where r.id = l.graph_run_id) = p_graph_id;
            if v_id is not null then
                loop
                    select r.replaced_by_id into v_next from orchestration.graph_run r where r.id = v_id;
                    exit when v_next is null;
                    v_id := v_next;
                end loop;
                return (select r.id from orchestration.graph_run r where r.id = v_id and r.opened_by = 'event');
            end if;
        end if;
    end loop;
    return null;
end
$$;
comment on function orchestration._redone_in(bigint, bigint, bigint) is 'The run of another graph that a redone task stood in.';
