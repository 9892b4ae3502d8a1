create or replace function orchestration.error_codes()
returns table (code text, meaning text, http_status integer, constraints text[])
language sql immutable parallel safe
set search_path = ''
as $$
    -- Purpose: the one table of refusals: SQLSTATE, meaning, HTTP status, and the named constraints that stand behind it as the second net.
    values
    ('OR101', 'a name, uid or key is empty, too long or has control characters', 422, array['service_name_is_valid', 'service_dispatch_topic_is_valid', 'process_uid_is_valid', 'task_name_is_valid', 'graph_name_is_valid', 'graph_run_run_key_is_valid', 'task_run_run_key_is_valid', 'api_token_name_is_valid']),
    ('OR102', 'the name is taken', 409, array['service_name_is_unique', 'process_uid_is_unique', 'task_name_is_unique', 'graph_name_is_unique', 'api_token_name_is_unique', 'api_token_sha256_is_unique']),
    ('OR103', 'in use, cannot be deleted', 409, array['process_service_exists', 'task_process_exists', 'chain_previous_task_exists', 'chain_next_task_exists', 'graph_chain_graph_exists', 'graph_chain_chain_exists', 'graph_pause_graph_exists']),
    ('OR104', 'a config template that is not understood', 422, '{}'),
    ('OR105', 'a config template reads a task that does not come before its own in the graph', 409, '{}'),
    ('OR106', 'an interval or count out of bounds', 422, array['task_timeout_is_positive', 'task_ack_timeout_is_positive', 'task_max_attempts_is_sane', 'task_retry_delay_is_sane', 'graph_timeout_is_positive', 'task_run_attempt_is_positive', 'api_token_rate_limit_is_sane']),
    ('OR107', 'a reference to what does not exist', 422, '{}'),
    ('OR108', 'a value outside the known words or of the wrong JSON type', 422, array['graph_labels_is_object', 'graph_repeat_policy_is_known', 'task_run_status_is_known', 'graph_run_status_is_known', 'graph_run_opened_by_is_known', 'task_run_event_source_is_known', 'service_state_desired_is_known', 'graph_run_params_is_object', 'api_token_scope_is_known', 'api_token_labels_is_object']),
    ('OR201', 'a chain from a task to itself', 422, array['chain_ends_differ']),
    ('OR202', 'the chain exists already', 409, array['chain_pair_is_unique']),
    ('OR203', 'the chain would close a cycle', 422, '{}'),
    ('OR204', 'nothing can be sent to the next task of a chain', 422, '{}'),
    ('OR205', 'the chain belongs to a graph already', 409, array['graph_chain_chain_has_one_graph', 'graph_chain_pkey']),
    ('OR206', 'the transaction is not READ COMMITTED', 409, '{}'),
    ('OR301', 'a transition that is not legal', 409, array['task_run_finished_at_matches_status', 'graph_run_finished_at_matches_status']),
    ('OR302', 'a column that never changes', 422, '{}'),
    ('OR303', 'a row of a run table that cannot be written so', 422, array['graph_run_task_run_place_is_unique', 'graph_run_task_run_by_task_run', 'countdown_remaining_is_not_negative', 'graph_run_open_count_is_not_negative']),
    ('OR304', 'an event that is malformed', 422, '{}'),
    ('OR305', 'the record is append-only', 403, '{}'),
    ('OR306', 'a run that is open or shared cannot be deleted', 409, '{}'),
    ('OR307', 'a run that cannot be marked, cancelled or rerun in the state it is in', 409, '{}'),
    ('OR308', 'nothing to rerun', 409, '{}'),
    ('OR309', 'a repeat that every graph rejects', 409, '{}'),
    ('OR401', 'no such graph, chain, run or task', 404, '{}'),
    ('OR402', 'a graph or task that cannot be launched: archived or empty', 409, '{}'),
    ('OR403', 'a predecessor outside the run never succeeded', 409, '{}'),
    ('OR404', 'a task that is not in the graph', 404, '{}'),
    ('OR405', 'no such dead letter', 404, '{}'),
    ('OR406', 'a dead letter that was replayed already, or whose execution has gone on', 409, '{}'),
    ('OR407', 'a dead letter that still cannot be applied', 409, '{}'),
    ('OR408', 'a graph that is paused', 409, '{}'),
    ('OR501', 'an argument that cannot be used', 422, '{}'),
    ('OR502', 'an Idempotency-Key that was used for another request', 422, '{}'),
    ('OR701', 'first start: no offset is stored for the topic', 409, '{}'),
    ('OR702', 'the topic was re-created', 409, '{}'),
    ('OR703', 'the stored offsets are of another Kafka cluster', 409, '{}'),
    ('OR704', 'the stored offset is gone from the log', 409, '{}'),
    ('OR710', 'fenced: another bridge holds the partition', 409, '{}'),
    ('OR711', 'the service is stopped', 409, '{}'),
    ('OR712', 'an unknown or retired bridge', 409, '{}')
$$;
comment on function orchestration.error_codes() is 'The table of SQLSTATE codes of class OR: meaning, HTTP status, constraints mapped to it.';
