-- SPEC 3: `installation` is renewed after a restore: receivers derive their key from it, and another installation's event is `foreign`.
select plan(9);

select given_graph('g', 'a -> b');
create temp table old as select id from installation;
select launch_graph('g');
select is((select value::jsonb ->> 'installation' from dispatch), (select id::text from old), 'a dispatch bears the installation');
create temp table new as select new_installation() as id;
select is((select id from new), (select id from installation), 'a new one is made and answered');
select isnt((select id from installation), (select id from old), 'it differs');
select is((select count(*)::int from installation), 1, 'there is one');
select is(report(jsonb_build_object('installation', old.id, 'task_run_id', at(run('g'), 'a'), 'status', 'SUCCESS')), null, 'an event about a dispatch of the old one') from old;
select is(letters(), 'foreign', 'is foreign');
select alike(letter_words(), '%' || (select id from old) || '%', 'and names it');
select launch_graph('g');
select is((select value::jsonb ->> 'installation' from dispatch order by task_run_id desc limit 1), (select id::text from installation), 'dispatches bear the new one from now on');
select refuses($$ insert into installation (id, only_row) values (gen_random_uuid(), false) $$, '23514', 'installation_is_one_row', 'never a second row');
