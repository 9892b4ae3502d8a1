-- What is to be seen, as text that `is` can compare; and the check of a refusal.

create or replace function tap.picture(graph_run bigint) returns text
language sql as $$
    -- 'RUNNING | 1 SUCCESS | 2 DISPATCHED | 3 - | 5 awaited': the run's status, then its tasks by name; - is a place still empty
    select r.status || ' | ' || string_agg(k.task_name || ' ' || coalesce(t.status, case when a.task_id is not null then 'awaited' else '-' end), ' | ' order by k.task_name)
    from orchestration.graph_run r
    join orchestration.graph_version_task v on v.version_id = r.version_id
    join orchestration.task_card k on k.task_id = v.task_id
    left join orchestration.awaited_root a on a.graph_run_id = r.id and a.task_id = v.task_id
    left join orchestration.task_run t on t.id = tap.at(r.id, k.task_name)
    where r.id = picture.graph_run
    group by r.id, r.status
$$;

create or replace function tap.pictures(graph text) returns text
language sql as $$
    select string_agg(tap.picture(r.id), E'\n' order by r.id) from orchestration.graph_run r where r.graph_id = tap.graph_id(pictures.graph)
$$;

create or replace function tap.state(task_run bigint) returns text
language sql as $$
    -- status, with the reason where there is one: 'SKIPPED upstream'
    select concat_ws(' ', t.status, t.reason) from orchestration.task_run t where t.id = state.task_run
$$;

create or replace function tap.letters(last integer default null) returns text
language sql as $$
    -- the reasons of all dead letters, or of the last ones, in order: 'mismatch, unknown'; none
    select coalesce(string_agg(d.reason, ', ' order by d.id), 'none')
    from (select x.id, x.reason from orchestration.dead_letter x order by x.id desc limit letters.last) d
$$;

create or replace function tap.letter_words() returns text
language sql as $$
    select d.detail from orchestration.dead_letter d order by d.id desc limit 1
$$;

create or replace function tap.history(task_run bigint) returns text
language sql as $$
    -- '- > DISPATCHED, DISPATCHED > SUCCESS': the transitions and events of a task run, in order
    select string_agg(format('%s > %s', coalesce(e.old_status, '-'), e.new_status), ', ' order by e.id)
    from orchestration.task_run_event e where e.task_run_id = history.task_run
$$;

create or replace function tap.last_event(task_run bigint) returns orchestration.task_run_event
language sql as $$
    select e from orchestration.task_run_event e where e.task_run_id = last_event.task_run order by e.id desc limit 1
$$;

create or replace function tap.dispatched(task text) returns bigint
language sql as $$
    -- how many dispatches of the task stand in the outbox
    select count(*) from orchestration.dispatch d join orchestration.task_run t on t.id = d.task_run_id where t.task_id = tap.task_id(dispatched.task)
$$;

create or replace function tap.refuses(statement text, code text, names text, description text) returns text
language plpgsql as $$
-- ok where the statement fails with this SQLSTATE, a message that matches `names` (both regular expressions), and a hint where it is ours.
declare
    v_code text; v_message text; v_hint text; v_context text;
    v_ok boolean;
begin
    begin
        execute statement;
    exception when others then
        get stacked diagnostics v_code = returned_sqlstate, v_message = message_text, v_hint = pg_exception_hint, v_context = pg_exception_context;
    end;
    if v_code is null then
        return tap.ok(false, description) || E'\n' || tap.diag('not refused: ' || statement);
    end if;
    v_ok := v_code ~ ('^(' || code || ')$') and v_message ~ names and (v_hint <> '' or v_code !~ '^OR');
    return tap.ok(v_ok, description)
        || case when v_ok then ''
                else E'\n' || tap.diag(format('wanted %s matching %s and a hint', code, names)) || E'\n'
                     || tap.diag(format('   got %s %s; hint %s', v_code, v_message, coalesce(nullif(v_hint, ''), 'none'))) || E'\n' || tap.diag(v_context) end;
end
$$;

create or replace function tap.task_of(task_run bigint) returns text
language sql as $$
    select t.name from orchestration.task_run r join orchestration.task t on t.id = r.task_id where r.id = task_of.task_run
$$;
