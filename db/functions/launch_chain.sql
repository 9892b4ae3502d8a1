create or replace function orchestration.launch_chain(chain_id bigint, params jsonb default '{}', run_key text default null) returns bigint
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: run one chain by hand: its previous task (its next where the previous cannot be dispatched), its next, and what is downstream of
--          that, but not the previous one's other successors. A chain that belongs to no graph is run alone; the graph run's graph_id is null.
-- Parameters: the chain; params, a JSON object; run_key.
-- Returns: the graph run's id.
-- Raises:  OR101, OR105 template, OR108, OR401 no such chain, OR402 archived, OR403 a predecessor outside never succeeded, OR408 paused.
-- Calls:   _launchable, _partial_version, _alone_version, _open_part.
declare
    v_chain record;
    v_head bigint;
    v_version_id bigint;
    v_from bigint;
    v_through bigint;
    v_params jsonb := coalesce(launch_chain.params, '{}');
begin
    select c.id, gc.graph_id, p.task_id as previous_id, p.task_name as previous, p.archived as previous_archived, p.dispatch_topic is not null as sendable,
           n.task_id as next_id, n.task_name as next, n.archived as next_archived
    into v_chain
    from orchestration.chain c
    join orchestration.task_card p on p.task_id = c.previous_task_id
    join orchestration.task_card n on n.task_id = c.next_task_id
    left join orchestration.graph_chain gc on gc.chain_id = c.id
    where c.id = launch_chain.chain_id
    for key share of c;
    if not found then
        perform orchestration._refuse('OR401', format('chain %s does not exist', coalesce(launch_chain.chain_id::text, 'null')), 'List the chains: select * from orchestration.chain.');
    end if;
    if v_chain.graph_id is not null then
        v_head := orchestration._launchable(v_chain.graph_id, v_params, launch_chain.run_key);
    else
        perform orchestration._require_read_committed();
        perform orchestration._ensure_partitions();
        if launch_chain.run_key is not null then
            perform orchestration._check_name('run key', launch_chain.run_key);
        end if;
        if jsonb_typeof(v_params) is distinct from 'object' then
            perform orchestration._refuse('OR108', format('params of a run of chain %s are not a JSON object', v_chain.id), 'Pass an object such as {"limit": 10}.');
        end if;
    end if;
    if v_chain.previous_archived or v_chain.next_archived then
        perform orchestration._refuse('OR402', format('task %s of chain %s is archived', to_json(case when v_chain.next_archived then v_chain.next else v_chain.previous end), v_chain.id),
            'Set archived = false on the task (its process, its service) first.');
    end if;
    v_from := case when v_chain.sendable then v_chain.previous_id else v_chain.next_id end;
    v_through := case when v_chain.sendable then v_chain.next_id end;
    if v_chain.graph_id is not null then
        v_version_id := orchestration._partial_version(v_head, array[v_from], v_through);
    else
        v_version_id := orchestration._alone_version(v_chain.previous_id, v_chain.next_id);
        if not v_chain.sendable then
            v_version_id := orchestration._partial_version(v_version_id, array[v_from]);
        end if;
    end if;
    return orchestration._open_part(v_chain.graph_id, v_version_id, v_params, launch_chain.run_key, format('partial, from chain %s: %s -> %s', v_chain.id, v_chain.previous, v_chain.next));
end
$$;
comment on function orchestration.launch_chain(bigint, jsonb, text) is 'Runs one chain and what is downstream of it; answers the graph run''s id.';
