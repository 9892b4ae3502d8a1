-- What a test starts from. Services: `nifi` only reports, every other has a dispatch topic. The process of task t is `p_<t>`.

create or replace function tap.given_service(name text, topic text default null, echoes boolean default false) returns bigint
language sql as $$
    insert into orchestration.service (name, dispatch_topic, echoes_ids) values (given_service.name, topic, echoes) returning id
$$;

create or replace function tap.given_task(name text, service text default 'airflow', process text default null, template jsonb default '{}') returns bigint
language plpgsql as $$
-- The task's id; makes service and process where they are missing.
declare
    v_service bigint := (select s.id from orchestration.service s where s.name = given_task.service);
    v_process bigint;
    v_uid text := coalesce(process, 'p_' || name);
    v_task bigint;
begin
    if v_service is null then
        v_service := tap.given_service(service, case when service <> 'nifi' then service || '_tasks' end);
    end if;
    select p.id into v_process from orchestration.process p where p.service_id = v_service and p.uid = v_uid;
    if not found then
        insert into orchestration.process (service_id, uid) values (v_service, v_uid) returning id into v_process;
    end if;
    insert into orchestration.task (process_id, name, config_template) values (v_process, given_task.name, template) returning id into v_task;
    return v_task;
end
$$;

create or replace function tap.task_id(name text) returns bigint language sql as $$
    select t.id from orchestration.task t where t.name = task_id.name
$$;

create or replace function tap.chain_id(previous text, next text) returns bigint language sql as $$
    select c.id from orchestration.chain c where c.previous_task_id = tap.task_id(previous) and c.next_task_id = tap.task_id(next)
$$;

create or replace function tap.graph_id(name text) returns bigint language sql as $$
    select g.id from orchestration.graph g where g.name = graph_id.name
$$;

create or replace function tap.edges(words text[]) returns table (previous text, next text)
language sql immutable as $$
    -- '6 -> 7 -> [8, 9]' is 6 -> 7, 7 -> 8, 7 -> 9
    with step as (
        select w.n, s.i, string_to_array(regexp_replace(s.side, '[][ ]', '', 'g'), ',') as names
        from unnest(words) with ordinality w(words, n), regexp_split_to_table(w.words, '->') with ordinality s(side, i)
    )
    select x.name, y.name from step a join step b on b.n = a.n and b.i = a.i + 1, unnest(a.names) x(name), unnest(b.names) y(name)
$$;

create or replace function tap.given_graph(name text, variadic edges text[]) returns bigint
language plpgsql as $$
-- The graph's id. Tasks that are missing are made, of service airflow. Adds to a graph that is there. Its version is compiled, as it is
-- from the first run after an edit on; with `set local tap.edited = 'on'` the edit is left to be compiled by what comes next.
declare
    v_graph bigint := tap.graph_id(name);
begin
    perform tap.given_task(x.name)
    from (select distinct u.name from tap.edges(edges) e, unnest(array[e.previous, e.next]) u(name)) x
    where tap.task_id(x.name) is null;
    if v_graph is null then
        insert into orchestration.graph (name) values (given_graph.name) returning id into v_graph;
    end if;
    with made as (
        insert into orchestration.chain (previous_task_id, next_task_id)
        select tap.task_id(e.previous), tap.task_id(e.next) from tap.edges(edges) e
        returning id
    )
    insert into orchestration.graph_chain (graph_id, chain_id) select v_graph, id from made;
    if coalesce(current_setting('tap.edited', true), '') <> 'on' then
        perform orchestration._compile(array[v_graph]);
    end if;
    return v_graph;
end
$$;

create or replace function tap.given_acceptance() returns void
language sql as $$
    -- the second acceptance graph: its roots 1 and 5 are of nifi, which only reports
    select tap.given_task('1', 'nifi'), tap.given_task('5', 'nifi'), tap.given_graph('integration', '1 -> 2', '[1, 5] -> 3', '1 -> 4')
$$;
