create or replace function orchestration.pause_graph(graph text) returns void
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: from now on nothing of this graph's runs is dispatched: it is held QUEUED until the resume; events go on joining and opening runs,
--          retries and resends wait, its clocks stand still. What is with its tools goes on. Paused already: nothing happens.
-- Raises:  OR401 unknown graph.
-- Writes:  graph (its trigger does all that follows).
begin
    update orchestration.graph g set paused = true where g.name = pause_graph.graph and not g.paused;
    if not found and not exists (select from orchestration.graph g where g.name = pause_graph.graph) then
        perform orchestration._refuse('OR401', format('graph %s does not exist', coalesce(to_json(left(pause_graph.graph, 300))::text, 'null')), 'List the graphs: select id, name from orchestration.graph.');
    end if;
end
$$;
comment on function orchestration.pause_graph(text) is 'Holds all dispatches of a graph until it is resumed.';
