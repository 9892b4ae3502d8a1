create or replace function orchestration._open_partial(p_task_run_id bigint) returns void
language plpgsql
set search_path = ''
set orchestration.engine = 'on'
as $$
-- Purpose: work a tool started by itself on a task that is a root nowhere: a partial run of each graph that holds the task, from it
--          downstream; predecessors outside count by their latest success, recorded in stand_in.
-- Calls:   _partial_version, _outside, _read_outside, _latest_success, _settle.
-- Writes:  graph_run, graph_run_task_run, stand_in, countdown.
declare
    v_run record;
    v_graph record;
    v_version_id bigint;
    v_id bigint;
begin
    select t.id, t.task_id, t.run_key, t.status into v_run from orchestration.task_run t where t.id = p_task_run_id;
    for v_graph in
        select h.graph_id, h.version_id
        from orchestration.chain c
        join orchestration.graph_chain gc on gc.chain_id = c.id
        join orchestration.graph g on g.id = gc.graph_id and not g.archived
        join orchestration.graph_head h on h.graph_id = gc.graph_id
        join orchestration.graph_version_task v on v.version_id = h.version_id and v.task_id = v_run.task_id
        where c.previous_task_id = v_run.task_id or c.next_task_id = v_run.task_id
        group by h.graph_id, h.version_id
        order by h.graph_id
    loop
        v_version_id := orchestration._partial_version(v_graph.version_id, array[v_run.task_id]);
        insert into orchestration.graph_run (graph_id, version_id, run_key, open_count, opened_by, detail, created_at, updated_at)
        select v_graph.graph_id, v.id, v_run.run_key, v.task_count, 'partial', 'partial, from task run ' || v_run.id, orchestration._now(), orchestration._now()
        from orchestration.graph_version v where v.id = v_version_id
        returning id into v_id;
        insert into orchestration.stand_in (graph_run_id, task_id, task_run_id)
        select v_id, o.task_id, o.task_run_id from orchestration._outside(v_graph.version_id, array[v_run.task_id], v_run.run_key) o where o.task_run_id is not null
        union
        select v_id, r.task_id, orchestration._latest_success(r.task_id, v_run.run_key) from unnest(orchestration._read_outside(v_version_id)) r(task_id)
        where orchestration._latest_success(r.task_id, v_run.run_key) is not null;
        insert into orchestration.graph_run_task_run (graph_run_id, task_run_id, task_id) values (v_id, v_run.id, v_run.task_id);
        perform orchestration._settle(array[v_id], array[v_run.task_id], array[v_run.status]);
    end loop;
end
$$;
comment on function orchestration._open_partial(bigint) is 'Opens partial runs for work a tool started by itself on a task that is a root nowhere.';
