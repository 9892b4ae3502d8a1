create or replace function orchestration._redone_in(p_graph_run_id bigint, p_task_id bigint, p_graph_id bigint) returns bigint
language plpgsql stable
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
-- Purpose: where did this task stand before it was redone? Goes back along the runs that a run took over to the first that had it succeed,
--          and from that task run to the run of another graph it stands in.
-- Parameters: the run that redid the task, the task, the other graph.
-- Returns: the newest run of that graph that holds it and was not taken over; null: none.
declare
    v_run bigint := p_graph_run_id;
    v_task_run bigint;
    v_id bigint;
begin
    loop
        select r.replaces_id into v_run from orchestration.graph_run r where r.id = v_run;
        exit when v_run is null;
        select l.task_run_id into v_task_run
        from orchestration.graph_run_task_run l
        where l.graph_run_id = v_run and l.task_id = p_task_id
          and (select t.status from orchestration.task_run t where t.id = l.task_run_id) = 'SUCCESS'
        order by l.attempt desc limit 1;
        if found then
            select max(l.graph_run_id) into v_id
            from orchestration.graph_run_task_run l
            where l.task_run_id = v_task_run
              and exists (select from orchestration.graph_run r where r.id = l.graph_run_id and r.graph_id = p_graph_id and r.replaced_by_id is null offset 0);
            return v_id;
        end if;
    end loop;
    return null;
end
$$;
comment on function orchestration._redone_in(bigint, bigint, bigint) is 'The run of another graph that a redone task stood in.';
