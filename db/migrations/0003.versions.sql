-- Versions: what a graph run is pinned to. Edits only leave a marker (they lock nothing a run start needs); the next run's start
-- compiles all committed edits of the graph into one immutable version.
-- Where an index says `where <its first column> is not null` see ARCHITECTURE.md, "Plans do not depend on what the tables looked like".
-- depends: 0002.definitions

create table orchestration.graph_change (
    id bigint generated always as identity primary key,
    graph_id bigint not null
);
create index graph_change_by_graph on orchestration.graph_change (graph_id);
comment on table orchestration.graph_change is 'Markers of edits not yet compiled into a version. Rows live from the edit to the next run''s start.';

create table orchestration.graph_version (
    id bigint generated always as identity primary key,
    graph_id bigint,
    base_id bigint,
    from_task_ids bigint[],
    through_task_id bigint,
    task_count integer not null,
    created_at timestamptz not null default now()
);
create index graph_version_by_graph on orchestration.graph_version (graph_id, id) where graph_id is not null;
create unique index graph_version_partial_is_unique on orchestration.graph_version (base_id, from_task_ids, coalesce(through_task_id, 0)) where base_id is not null;
create unique index graph_version_alone_is_unique on orchestration.graph_version (from_task_ids, coalesce(through_task_id, 0)) where graph_id is null and base_id is null;
comment on table orchestration.graph_version is 'An immutable shape of a graph, compiled from its chains at a run''s start.';
comment on column orchestration.graph_version.base_id is 'For a partial shape: the version it is cut from.';
comment on column orchestration.graph_version.from_task_ids is 'For a partial shape: the tasks (sorted) it starts from; it holds them and all that is downstream.';
comment on column orchestration.graph_version.graph_id is 'Null: the shape of one chain that belongs to no graph.';
comment on column orchestration.graph_version.through_task_id is 'For the shape of a run from one chain: of the start task''s successors only this one, and what is downstream of it.';

create table orchestration.graph_version_task (
    version_id bigint not null,
    task_id bigint not null,
    predecessor_ids bigint[] not null,
    successor_ids bigint[] not null,
    successor_needs integer[] not null,
    predecessor_count integer not null,
    position integer not null default 0,
    primary key (version_id, task_id)
);
comment on table orchestration.graph_version_task is 'One row a task of a version, with its neighbours.';
comment on column orchestration.graph_version_task.successor_needs is 'predecessor_count of each of successor_ids, in the same order: how many arrivals start it.';

comment on column orchestration.graph_version_task.position is 'A topological number: predecessors have smaller ones.';

create table orchestration.graph_version_reference (
    version_id bigint not null,
    task_id bigint not null,
    ancestor_id bigint not null,
    is_ancestor boolean not null,
    primary key (version_id, task_id, ancestor_id)
);
comment on table orchestration.graph_version_reference is 'Whether a task that a config template reads upstream, and that is no direct predecessor, comes before the task in this version: computed when the version is compiled, so that rendering only looks it up. A missing row (the template was edited since) is computed then.';

create table orchestration.graph_head (
    graph_id bigint primary key,
    version_id bigint not null
);
comment on table orchestration.graph_head is 'The version the next run of a graph starts under, where no graph_change is waiting.';

create table orchestration.graph_root (
    task_id bigint not null,
    graph_id bigint not null,
    root_count integer not null
);
create unique index graph_root_by_task on orchestration.graph_root (task_id, graph_id) where task_id is not null;
create index graph_root_by_graph on orchestration.graph_root (graph_id);
comment on table orchestration.graph_root is 'The roots of each graph''s head version, found by task: whose report opens or joins a run.';
comment on column orchestration.graph_root.root_count is 'How many roots that version has.';
