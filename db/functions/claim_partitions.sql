create or replace function orchestration.claim_partitions(instance bigint, topic text, cluster_id text, topic_id text, partitions integer[])
returns table (partition integer, next_offset bigint, epoch bigint)
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: a bridge was assigned partitions: bump their epochs, so whoever held them can store nothing any more, and answer where to go on.
--          Waits for a batch that is being committed under the old epoch.
-- Raises:  OR701 first start, OR702 topic re-created, OR703 other cluster, OR712 unknown bridge.
-- Writes:  kafka_offset.
declare
    v_topic record;
begin
    perform from orchestration.bridge_instance b where b.id = instance and b.retired_at is null;
    if not found then
        perform orchestration._refuse('OR712', format('bridge %s is not registered', instance), 'Call register_bridge first.');
    end if;
    select t.cluster_id, t.topic_id into v_topic from orchestration.kafka_topic t where t.topic = claim_partitions.topic;
    if not found then
        perform orchestration._refuse('OR701', format('no offset is stored for topic %s', claim_partitions.topic),
            'First start: say where to begin, orchestration bridge --from earliest, or --from latest.');
    elsif v_topic.cluster_id <> claim_partitions.cluster_id then
        perform orchestration._refuse('OR703', format('the stored offsets of topic %s are of Kafka cluster %s, this is %s', claim_partitions.topic, v_topic.cluster_id, claim_partitions.cluster_id),
            'Check ORCHESTRATION_KAFKA_BOOTSTRAP; if the cluster was replaced on purpose, orchestration bridge --from earliest, or --from latest.');
    elsif v_topic.topic_id <> claim_partitions.topic_id then
        perform orchestration._refuse('OR702', format('topic %s was re-created: the stored offsets are of topic id %s, this is %s', claim_partitions.topic, v_topic.topic_id, claim_partitions.topic_id),
            'Say where to begin in the new topic: orchestration bridge --from earliest, or --from latest.');
    end if;
    insert into orchestration.kafka_offset (topic, partition, next_offset)
    select claim_partitions.topic, p, 0 from unnest(partitions) p
    on conflict do nothing;
    perform from orchestration.kafka_offset k where k.topic = claim_partitions.topic and k.partition = any (partitions) order by k.partition for update;
    return query
    update orchestration.kafka_offset k
    set epoch = k.epoch + 1, bridge_id = instance, lag = null, updated_at = orchestration._now()
    where k.topic = claim_partitions.topic and k.partition = any (partitions)
    returning k.partition, k.next_offset, k.epoch;
end
$$;
comment on function orchestration.claim_partitions(bigint, text, text, text, integer[]) is 'Fences the former holder of partitions and answers where to go on.';
