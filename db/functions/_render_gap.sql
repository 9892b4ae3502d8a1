create or replace function orchestration._render_gap(p_run_id bigint, p_version_id bigint, p_task_id bigint, p_run_key text, p_upstream text[]) returns text
language plpgsql stable
set search_path = ''
as $$
-- Purpose: a placeholder that reads results of tasks found nothing: why, in words to be put behind; empty: the path leads nowhere.
-- Calls:   _is_ancestor, _read_result.
declare
    v_name text;
    v_id bigint;
    v_run record;
begin
    foreach v_name in array p_upstream loop
        select t.id into v_id from orchestration.task t where t.name = v_name;
        if not found then
            return ': there is no task ' || v_name;
        elsif p_run_id is null then
            return ': it runs in no graph, so no task comes before it';
        elsif not orchestration._is_ancestor(p_version_id, p_task_id, v_id) then
            return ': task ' || v_name || ' does not come before it in this run''s version of the graph';
        end if;
        select t.id, t.status, t.result is null as empty into v_run from orchestration.task_run t where t.id = orchestration._read_result(p_run_id, p_task_id, v_id, p_run_key);
        if not found then
            return ': task ' || v_name || ' has no task run that counts here';
        elsif v_run.empty then
            return ': task run ' || v_run.id || ' of task ' || v_name || ' (' || v_run.status || ') reported no result';
        end if;
    end loop;
    return '';
end
$$;
comment on function orchestration._render_gap(bigint, bigint, bigint, text, text[]) is 'Why a placeholder found nothing.';
