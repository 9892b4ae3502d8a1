-- Who may do what with tables: the application writes definitions and run tables, all else goes through functions; the reader reads.
select plan(17);

create temp table wanted as
select c.relname::text as name, r.role,
       case when r.role = 'orchestration_app' and c.relname in ('service', 'process', 'task', 'chain', 'graph', 'graph_chain', 'graph_run', 'task_run', 'graph_run_task_run')
            then 'DELETE,INSERT,SELECT,UPDATE' when r.role = 'public' or (r.role = 'orchestration_reader' and c.relname in ('api_token', 'idempotency_key')) then '' else 'SELECT' end as privileges
from pg_class c, (values ('orchestration_app'), ('orchestration_reader'), ('public')) r(role)
where c.relnamespace = 'orchestration'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition;
create temp table found as
select w.name, w.role, w.privileges,
       coalesce((select string_agg(p, ',' order by p) from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
                 where case when w.role = 'public' then exists (select from information_schema.table_privileges t where t.table_schema = 'orchestration' and t.table_name = w.name and t.grantee = 'PUBLIC' and t.privilege_type = p)
                            else has_table_privilege(w.role, 'orchestration.' || quote_ident(w.name), p) end), '') as has
from wanted w;
select is((select string_agg(format('%s: %s, not %s', name, has, privileges), E'\n' order by name) from found where role = r.role and has <> privileges), null, r.role || ' has these privileges on tables and no other')
from (values ('orchestration_app'), ('orchestration_reader'), ('public')) r(role);
select cmp_ok((select count(*)::int from found), '>', 60, 'all tables were looked at');
select is((select string_agg(c.relname::text, ', ') from pg_class c, unnest(array['orchestration_app', 'orchestration_reader']) r, unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p
           where c.relnamespace = 'orchestration'::regnamespace and c.relispartition and has_table_privilege(r, c.oid, p)), null, 'partitions are written by nobody');
select is((select count(*)::int from pg_class c where c.relnamespace = 'orchestration'::regnamespace and c.relkind = 'S' and (has_sequence_privilege('orchestration_app', c.oid, 'UPDATE') or has_sequence_privilege('orchestration_reader', c.oid, 'UPDATE'))), 0,
          'nobody sets a sequence');
select is((select array_agg(r.rolname::text) from pg_class c join pg_roles r on r.oid = c.relowner where c.relnamespace = 'orchestration'::regnamespace and r.rolname <> 'orchestration_owner'), null, 'the owner owns every table');
select is((select array_agg(p.proname::text) from pg_proc p join pg_roles r on r.oid = p.proowner where p.pronamespace = 'orchestration'::regnamespace and r.rolname <> 'orchestration_owner'), null, 'and every function');
select is((select array_agg(rolname::text order by rolname) from pg_roles where rolname ~ '^orchestration_' and rolcanlogin), null, 'no role of ours logs in');
select is(has_schema_privilege('orchestration_app', 'orchestration', 'CREATE') or has_schema_privilege('orchestration_reader', 'orchestration', 'CREATE') or has_schema_privilege('public', 'orchestration', 'USAGE'), false, 'nobody makes things in the schema, the public does not even see it');

select refuses(format('select as_role(%L, %L)', 'orchestration_reader', s.statement), '42501', 'permission denied', 'reader: ' || s.statement)
from (values ('insert into orchestration.service (name) values (''x'')'), ('update orchestration.task_run set status = ''SUCCESS'''), ('delete from orchestration.graph_run'), ('select orchestration.report(''{}'')')) s(statement);
select refuses(format('select as_role(%L, %L)', 'orchestration_app', s.statement), '42501', 'permission denied', 'app: ' || s.statement)
from (values ('update orchestration.setting set value = ''1 day'''), ('delete from orchestration.dead_letter'), ('update orchestration.service_state set desired = ''stopped''')) s(statement);
