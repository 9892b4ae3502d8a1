create or replace function orchestration._version_now(p_version_id bigint) returns bigint
language plpgsql
set search_path = ''
as $$
-- Purpose: the version that a run of this version's kind would start under now: the graph's head, or the same part cut from the head (from
--          the start tasks that are still in it). A chain in no graph has one shape for ever.
-- Returns: the graph_version's id; null: nothing of it is left.
-- Calls:   _compile, _partial_version.
declare
    v_old record;
    v_head bigint;
    v_from bigint[];
begin
    select v.graph_id, v.from_task_ids, v.through_task_id into v_old from orchestration.graph_version v where v.id = p_version_id;
    if v_old.graph_id is null then
        return p_version_id;
    end if;
    perform orchestration._compile(array[v_old.graph_id]);
    select h.version_id into v_head from orchestration.graph_head h join orchestration.graph_version v on v.id = h.version_id and v.task_count > 0
    where h.graph_id = v_old.graph_id;
    if v_old.from_task_ids is null or v_head is null then
        return v_head;
    end if;
    select array_agg(f.id) into v_from
    from unnest(v_old.from_task_ids) f(id)
    join orchestration.graph_version_task v on v.version_id = v_head and v.task_id = f.id
    where v_old.through_task_id is null or v_old.through_task_id = any (v.successor_ids);
    if v_from is null then
        return null;
    end if;
    return orchestration._partial_version(v_head, v_from, v_old.through_task_id);
end
$$;
comment on function orchestration._version_now(bigint) is 'The version a run of the same kind would start under now.';
