create or replace function orchestration.check_graph(graph text) returns table (task text, problem text, hint text)
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: what is wrong with a graph, or will surprise whoever launches it, before it is found at night.
-- Returns: rows: the task (null: the graph as a whole), the problem, what to do. None: all is well.
-- Raises:  OR401.
-- Calls:   _compile, _is_ancestor.
declare
    v_graph record;
    v_version_id bigint;
begin
    perform orchestration._require_read_committed();
    select g.id, g.name, g.paused, g.archived into v_graph from orchestration.graph g where g.name = check_graph.graph;
    if not found then
        perform orchestration._refuse('OR401', format('graph %s does not exist', coalesce(to_json(check_graph.graph)::text, 'null')), 'List the graphs: select id, name from orchestration.graph.');
    end if;
    perform orchestration._compile(array[v_graph.id]);
    select h.version_id into v_version_id from orchestration.graph_head h where h.graph_id = v_graph.id;
    return query
    select null, x.problem, x.hint
    from (values (v_graph.archived, 'the graph is archived: nothing opens or joins runs of it', 'Set archived = false on it.'),
                 (v_graph.paused, 'the graph is paused: nothing of it is dispatched', 'Resume it: select orchestration.resume_graph(…).'),
                 (not exists (select from orchestration.graph_version_task v where v.version_id = v_version_id), 'the graph has no tasks', 'Add chains to it through graph_chain.')) x(holds, problem, hint)
    where x.holds;
    return query
    select k.task_name, format('it is archived: chain %s -> %s is left out', p.task_name, n.task_name), 'Set archived = false on the task (its process, its service), or delete the chain.'
    from orchestration.graph_chain gc
    join orchestration.chain c on c.id = gc.chain_id
    join orchestration.task_card p on p.task_id = c.previous_task_id
    join orchestration.task_card n on n.task_id = c.next_task_id
    join orchestration.task_card k on k.task_id in (p.task_id, n.task_id) and k.archived
    where gc.graph_id = v_graph.id
    order by 1, c.id;
    return query
    select k.task_name, x.problem, x.hint
    from orchestration.graph_version_task v
    join orchestration.task_card k on k.task_id = v.task_id
    cross join lateral (
        select 1 as n, 'nothing can be sent to it: its service has no dispatch topic' as problem, 'Give the service a dispatch_topic.' as hint
        where v.predecessor_count > 0 and k.dispatch_topic is null
        union all
        select 2, 'its service only reports: a launch waits for its event', 'Nothing, if that is meant; else give the service a dispatch_topic.'
        where v.predecessor_count = 0 and k.dispatch_topic is null
        union all
        select 3, format('its config template reads the result of task %s at %s, which %s', u.name, h.place,
                         case when a.id is null then 'does not exist' else 'does not come before it in this graph' end),
               'Correct the template, or the chains.'
        from orchestration.task_placeholder h cross join unnest(h.upstream) u(name) left join orchestration.task a on a.name = u.name
        where h.task_id = v.task_id and h.upstream <> '{}' and (a.id is null or not orchestration._is_ancestor(v_version_id, v.task_id, a.id))
        union all
        select 4, format('its config template reads {{ %s }} at %s, and runs opened by events have no params', h.spelled, h.place),
               'Launch the graph by hand, or read what every run has.'
        from orchestration.task_placeholder h
        where h.task_id = v.task_id and h.path::text ~ '\$\."params"\."'
          and exists (select from orchestration.graph_version_task r join orchestration.task_card c on c.task_id = r.task_id
                      where r.version_id = v_version_id and r.predecessor_count = 0 and c.dispatch_topic is null)) x
    where v.version_id = v_version_id
    order by v.position, x.n, x.problem;
end
$$;
comment on function orchestration.check_graph(text) is 'What is wrong with a graph, or will surprise whoever launches it.';
