-- Who may call what: the application all functions without underscore; the reader those that only look; the public none.
select plan(7);

select is((select string_agg(p.oid::regprocedure::text, ', ') from pg_proc p where p.pronamespace = 'orchestration'::regnamespace and p.proname !~ '^(_|tg_)' and not has_function_privilege('orchestration_app', p.oid, 'EXECUTE')), null,
          'the application may call every function without underscore');
select is((select string_agg(p.oid::regprocedure::text, ', ') from pg_proc p where p.pronamespace = 'orchestration'::regnamespace and p.proname ~ '^(_|tg_)' and p.prosecdef and has_function_privilege('orchestration_app', p.oid, 'EXECUTE')), null,
          'and no inner one that acts as the owner');
select is((select array_agg(p.proname::text order by p.proname) from pg_proc p where p.pronamespace = 'orchestration'::regnamespace and has_function_privilege('orchestration_reader', p.oid, 'EXECUTE')), array['error_codes', 'service_status'],
          'the reader: what only looks');
select is((select array_agg(p.proname::text order by p.proname) from pg_proc p where p.pronamespace = 'orchestration'::regnamespace and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)), null, 'the public: none');
select is((select string_agg(p.oid::regprocedure::text, ', ') from pg_proc p where p.pronamespace = 'orchestration'::regnamespace and p.proname !~ '^(_|tg_)' and not p.prosecdef and p.prolang <> (select oid from pg_language where lanname = 'internal')
           and p.proname not in ('error_codes')), null, 'what the application calls acts as the owner');
select is((select string_agg(p.oid::regprocedure::text, ', ') from pg_proc p where p.pronamespace = 'orchestration'::regnamespace and not exists (select from unnest(p.proconfig) c where c in ('search_path=""', 'search_path='))), null, 'every function fixes its search_path');
select lives_ok($$ select as_role('orchestration_reader', 'select * from orchestration.service_status()') $$, 'the reader looks');
