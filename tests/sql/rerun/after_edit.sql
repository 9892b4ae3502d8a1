-- SPEC 4.5, 4.4: a rerun or a mark right after an edit is under the version that the edit made; nobody compiled it before.
select plan(4);

set local tap.edited = 'on';
select given_graph('g', 'a -> b -> c'), given_graph('h', 'd -> e');
select launch_graph('g'), launch_graph('h');
select finish(run('g'), 'a', 'FAILED'), finish(run('h'), 'd', 'FAILED');
select given_graph('g', 'a -> c'), given_graph('h', 'd -> f');
select is((select rerun(run('g'))), run('g', 2), 'rerun');
select is(picture(run('h')), 'FAILED | d FAILED | e SKIPPED', 'before the mark');
select is((select mark_task_run(at(run('h'), 'd'), 'SUCCESS')), run('h', 2), 'mark');
select is(picture(run('h', 2)), 'RUNNING | d SUCCESS | e DISPATCHED | f DISPATCHED', 'under the edited version');
