create or replace function orchestration.graph_shape(graph text)
returns table (task text, service text, after text[])
language plpgsql stable security definer
set search_path = ''
as $$
-- Purpose: the tasks of a graph as its chains stand now, each with the tasks before it in the graph.
-- Raises:  OR401.
declare
    v_graph_id bigint := (select g.id from orchestration.graph g where g.name = graph_shape.graph);
begin
    if v_graph_id is null then
        perform orchestration._refuse('OR401', format('graph %s does not exist', coalesce(to_json(graph)::text, 'null')), 'List the graphs: select id, name from orchestration.graph.');
    end if;
    return query
    with edge as (
        select c.previous_task_id as p, c.next_task_id as n
        from orchestration.graph_chain gc join orchestration.chain c on c.id = gc.chain_id where gc.graph_id = v_graph_id
    )
    select k.task_name, k.service_name, array(select b.task_name from edge e join orchestration.task_card b on b.task_id = e.p where e.n = k.task_id order by 1)
    from orchestration.task_card k
    where k.task_id in (select e.p from edge e union select e.n from edge e)
    order by k.task_id;
end
$$;
comment on function orchestration.graph_shape(text) is 'The tasks of a graph, each with the tasks before it.';
