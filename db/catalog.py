"""The queries of the deployment against PostgreSQL's catalogs and the deployment's own tables.

Sent with an empty search_path. `%%` is a percent sign, `%(name)s` a parameter.
"""

from __future__ import annotations

FUNCTIONS = """
select p.oid::bigint, p.proname::text,
       format('%%I.%%I(%%s)', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)),
       p.prokind::text, p.prosrc,
       exists (select from unnest(p.proconfig) as c (setting) where c.setting like 'search_path=%%'),
       exists (select from pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
                where a.grantee = 0 and a.privilege_type = 'EXECUTE')
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
 where n.nspname = %(schema)s
   and not exists (select from pg_catalog.pg_depend d
                    where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
 order by 2, 3
"""

# Functions made or replaced by the running transaction.
FRESH_FUNCTIONS = """
select p.oid::bigint
  from pg_catalog.pg_proc p
 where p.pronamespace = %(schema)s::regnamespace and p.xmin = pg_catalog.pg_current_xact_id()::xid
"""

TRIGGERS = """
select t.tgname::text, t.tgrelid::regclass::text
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_class c on c.oid = t.tgrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = %(schema)s and not t.tgisinternal and t.tgparentid = 0
 order by 2, 1
"""

TRIGGER_FUNCTIONS_WITHOUT_TRIGGER = """
select p.oid::regprocedure::text
  from pg_catalog.pg_proc p
 where p.pronamespace = %(schema)s::regnamespace and p.prorettype = 'pg_catalog.trigger'::regtype
   and not exists (select from pg_catalog.pg_trigger t where t.tgfoid = p.oid)
 order by 1
"""

# For each trigger function and table: the names its triggers there give to transition tables.
_TRANSITION_NAMES = """
select t.tgfoid as function, t.tgrelid as relation,
       coalesce(array_agg(distinct n.name) filter (where n.name is not null), array[]::name[]) as names
  from pg_catalog.pg_trigger t cross join lateral (values (t.tgoldtable), (t.tgnewtable)) n (name)
 where not t.tgisinternal and t.tgparentid = 0
 group by 1, 2
"""

TOO_MANY_TRANSITION_NAMES = f"""
select t.function::regprocedure::text, t.names::text[]
  from ({_TRANSITION_NAMES}) t join pg_catalog.pg_proc p on p.oid = t.function
 where p.pronamespace = %(schema)s::regnamespace and cardinality(t.names) > 2
 order by 1
"""  # noqa: S608 - both parts are constants

PLPGSQL_CHECK_SCHEMA = """
select quote_ident(n.nspname)
  from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
 where e.extname = 'plpgsql_check'
"""

# Every plpgsql function once; a trigger function once for each table it serves, with the transition tables of
# all its triggers there: one function may serve INSERT, UPDATE and DELETE. Old and new rows have the same type,
# so two names fit into the two slots, whichever is which. To be formatted with the extension's schema.
PLPGSQL_CHECK = f"""
select u.signature || case when u.relation = 0 then '' else ' on ' || u.relation::regclass::text end,
       c.level, c.sqlstate, c.message, c.lineno, c.hint
  from (select p.oid, p.oid::regprocedure::text as signature, coalesce(t.relation, 0::oid) as relation,
               t.names[1] as first_name, t.names[2] as second_name
          from pg_catalog.pg_proc p
          join pg_catalog.pg_language l on l.oid = p.prolang and l.lanname = 'plpgsql'
          left join ({_TRANSITION_NAMES}) t
            on t.function = p.oid and p.prorettype = 'pg_catalog.trigger'::regtype
         where p.pronamespace = %(schema)s::regnamespace
           and (p.prorettype <> 'pg_catalog.trigger'::regtype or cardinality(t.names) <= 2)
           and not exists (select from pg_catalog.pg_depend d
                            where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid
                              and d.deptype = 'e')
       ) u
 cross join lateral {{extension}}.plpgsql_check_function_tb(
       funcoid => u.oid::regprocedure, relid => u.relation::regclass, fatal_errors => false,
       oldtable => u.first_name, newtable => u.second_name, security_warnings => true) c
 order by 1, c.lineno
"""  # noqa: S608 - both parts are constants

PREPARED = """
select exists (select from pg_catalog.pg_namespace where nspname = %(schema)s),
       (select pg_catalog.pg_has_role(r.oid, 'member') from pg_catalog.pg_roles r where r.rolname = %(owner)s),
       current_user::text
"""

MAY_SET = "select pg_catalog.has_parameter_privilege(%(owner)s, %(name)s, 'set')"

TRY_LOCK = "select pg_catalog.pg_try_advisory_lock(%(key)s)"

LOCK_HOLDER = """
select a.pid, a.backend_start
  from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid
 where l.locktype = 'advisory' and l.granted and l.objsubid = 1
   and (l.classid::bigint << 32) + l.objid::bigint = %(key)s
   and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
"""

# Sessions that hold locks on tables of the schema, the oldest transaction first.
TABLE_LOCK_HOLDERS = """
select distinct a.pid, a.usename::text, a.application_name, a.xact_start
  from pg_catalog.pg_locks l
  join pg_catalog.pg_class c on c.oid = l.relation
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = %(schema)s
  join pg_catalog.pg_stat_activity a on a.pid = l.pid
 where l.granted and l.pid <> pg_catalog.pg_backend_pid()
   and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
 order by a.xact_start
 limit 3
"""

DEPLOYMENT_GRANTS = """
grant usage on schema orchestration to orchestration_app, orchestration_reader;
grant select on orchestration.schema_release, orchestration._yoyo_migration, orchestration._yoyo_log
   to orchestration_app, orchestration_reader;
"""

FIRST_INSTALLATION = """
do $$
begin
    if to_regclass('orchestration.installation') is not null
       and to_regprocedure('orchestration.new_installation()') is not null then
        if not exists (select from orchestration.installation) then
            perform orchestration.new_installation();
        end if;
    end if;
end
$$
"""

LAST_RELEASE = """
select version, functions_sha256, applied_at from orchestration.schema_release order by id desc limit 1
"""

RECORD_RELEASE = """
insert into orchestration.schema_release (version, functions_sha256) values (%(version)s, %(sha256)s)
"""

# Without touching the schema: the asking role may have no right to use it.
STANDING = """
select n.oid is not null, coalesce(pg_catalog.has_schema_privilege(n.oid, 'usage'), false),
       exists (select from pg_catalog.pg_class c where (c.relnamespace, c.relname) = (n.oid, '_yoyo_migration')),
       exists (select from pg_catalog.pg_class c where (c.relnamespace, c.relname) = (n.oid, 'schema_release')),
       pg_catalog.current_database()::text, current_user::text
  from (select) one left join pg_catalog.pg_namespace n on n.nspname = %(schema)s
"""

# The applied migrations, each with the sha256 of the text that was applied.
APPLIED = """
select m.migration_id::text,
       (select l.comment::text from orchestration._yoyo_log l
         where l.migration_hash = m.migration_hash and l.operation in ('apply', 'mark')
         order by l.created_at_utc desc limit 1)
  from orchestration._yoyo_migration m
 order by 1
"""
