-- SPEC 2: one table lists our SQLSTATEs with meaning and HTTP status, and maps each named constraint of the tables people write to its code.
select plan(9);

select is((select count(*)::int from error_codes() where code !~ '^OR\d{3}$' or meaning = '' or http_status not in (400, 401, 403, 404, 409, 422, 429, 503)), 0, 'every code is of class OR, with words and a status');
select is((select string_agg(code, ', ') from (select code from error_codes() group by code having count(*) > 1) x), null, 'each once');
select is((select string_agg(distinct m.code, ', ') from pg_proc p, lateral (select (regexp_matches(p.prosrc, '''(OR\d{3})''', 'g'))[1] as code) m where p.pronamespace = 'orchestration'::regnamespace and m.code not in (select code from error_codes())), null,
          'every code that a function raises is listed');
select is((select string_agg(k, ', ') from error_codes() e, unnest(e.constraints) k where not exists (select from pg_constraint c where c.connamespace = 'orchestration'::regnamespace and c.conname = k)
           and not exists (select from pg_index i where i.indisunique and i.indexrelid = to_regclass('orchestration.' || k))), null, 'every constraint it names exists');
select is((select string_agg(k, ', ') from (select k from error_codes() e, unnest(e.constraints) k group by k having count(*) > 1) x), null, 'each belongs to one code');
select is((select string_agg(format('%s.%s', c.conrelid::regclass, c.conname), ', ' order by c.conname)
           from pg_constraint c join pg_class t on t.oid = c.conrelid
           where c.connamespace = 'orchestration'::regnamespace
             and t.relname in ('service', 'process', 'task', 'chain', 'graph', 'graph_chain', 'graph_run', 'task_run', 'graph_run_task_run')
             and c.contype in ('c', 'u', 'f', 'x') and not exists (select from error_codes() e where c.conname = any (e.constraints))), null, 'every check, unique and foreign key of the tables people write has a code');
-- the second net holds where the triggers do not see (a race): triggers off
set local session_replication_role = replica;
select refuses($$ insert into service (name) values ('') $$, '23514', 'service_name_is_valid', 'the constraint behind a trigger');
insert into service (name) values ('twice');
select refuses($$ insert into service (name) values ('twice') $$, '23505', 'service_name_is_unique', 'and its unique one');
select refuses($$ insert into chain (previous_task_id, next_task_id) values (1, 1) $$, '23514', 'chain_ends_differ', 'and a chain to itself');
