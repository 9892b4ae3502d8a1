create or replace function orchestration.tg_graph_chain__validate() returns trigger
language plpgsql security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set jit = off
set enable_seqscan = off
as $$
-- Purpose: a chain belongs to one graph; a second is an error naming the owner. Raises: OR107, OR205.
declare
    v_owner text;
begin
    if not exists (select from orchestration.graph g where g.id = new.graph_id) then
        perform orchestration._refuse('OR107', format('graph %s does not exist', coalesce(new.graph_id::text, 'null')), 'Create the graph first.');
    end if;
    if not exists (select from orchestration.chain c where c.id = new.chain_id) then
        perform orchestration._refuse('OR107', format('chain %s does not exist', coalesce(new.chain_id::text, 'null')), 'Create the chain first.');
    end if;
    select g.name into v_owner from orchestration.graph_chain gc join orchestration.graph g on g.id = gc.graph_id
    where gc.chain_id = new.chain_id and (tg_op = 'INSERT' or gc.chain_id <> old.chain_id);
    if found then
        perform orchestration._refuse('OR205', format('chain %s belongs to graph %s', new.chain_id, to_json(v_owner)),
            'Take it out of that graph first, or chain other tasks.');
    end if;
    return new;
end
$$;
comment on function orchestration.tg_graph_chain__validate() is 'Rules of graph_chain.';
create or replace trigger _100_validate before insert or update of graph_id, chain_id on orchestration.graph_chain
    for each row execute function orchestration.tg_graph_chain__validate();
