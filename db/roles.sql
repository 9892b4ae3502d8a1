-- The roles of the cluster, none of which may log in. Run by `orchestration db create`; safe to run again, and by two
-- at once. Login roles (the tech user) are members of orchestration_app.
--
--   orchestration_owner   owns the schema and everything in it; deployments act as it
--   orchestration_app     what bridge and API may do
--   orchestration_reader  may look at everything and change nothing

do $$
declare
  v_role text;
begin
  foreach v_role in array array['orchestration_owner', 'orchestration_app', 'orchestration_reader'] loop
    if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
      begin
        execute pg_catalog.format('create role %I nologin', v_role);
      exception
        when duplicate_object or unique_violation then
          null;  -- made by another session in between
      end;
    end if;
  end loop;
end
$$;
