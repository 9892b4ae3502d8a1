create or replace function orchestration.resume_graph(graph text, skip boolean default false) returns void
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a paused graph goes on: what was held is sent, the oldest graph run first; with skip it is cancelled instead, and so are the
--          retries that wait. Not paused: nothing happens.
-- Raises:  OR401 unknown graph.
-- Writes:  graph (its trigger does all that follows).
begin
    perform set_config('orchestration.skip', case when resume_graph.skip then 'on' else '' end, true);
    update orchestration.graph g set paused = false where g.name = resume_graph.graph and g.paused;
    if not found and not exists (select from orchestration.graph g where g.name = resume_graph.graph) then
        perform orchestration._refuse('OR401', format('graph %s does not exist', coalesce(to_json(left(resume_graph.graph, 300))::text, 'null')), 'List the graphs: select id, name from orchestration.graph.');
    end if;
    perform set_config('orchestration.skip', '', true);
end
$$;
comment on function orchestration.resume_graph(text, boolean) is 'Sends what a paused graph held, or cancels it.';
