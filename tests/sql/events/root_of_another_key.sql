-- SPEC 4.1.6: a root of the current version, or awaited by an open run *with that key*. An edit took the root away; an open run without key awaits it.
select plan(4);

select given_graph('g', 'a -> b', 'c -> d');
select say('c', 'SUCCESS');
select set_config('tap.edited', 'on', true);
select given_graph('g', 'd -> a');
select is(say('a', 'SUCCESS', 'm'), null::bigint, 'under a key that no run awaits it is a root nowhere');
select is((select reason from dead_letter), 'unexpected', 'and unexpected');
select isnt(say('a', 'SUCCESS', 'm', 'x1'), null::bigint, 'with an external id of its own it opens a partial run');
select isnt(say('a', 'SUCCESS'), null::bigint, 'without key the open run awaits it');
