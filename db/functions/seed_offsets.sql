create or replace function orchestration.seed_offsets(topic text, cluster_id text, topic_id text, partitions integer[], offsets bigint[]) returns void
language plpgsql security definer
set search_path = ''
as $$
-- Purpose: an operator's word where to begin reading a topic: first start, re-created topic, other cluster, stored offset gone.
--          Partitions that a new incarnation of the topic does not have are forgotten: nothing will ever be read from them.
-- Writes:  kafka_topic, kafka_offset (epochs go on, so whoever still reads is fenced).
begin
    delete from orchestration.kafka_offset k
    where k.topic = seed_offsets.topic and not k.partition = any (partitions)
      and exists (select from orchestration.kafka_topic t where t.topic = seed_offsets.topic and (t.cluster_id, t.topic_id) <> (seed_offsets.cluster_id, seed_offsets.topic_id));
    insert into orchestration.kafka_topic as t (topic, cluster_id, topic_id)
    values (seed_offsets.topic, seed_offsets.cluster_id, seed_offsets.topic_id)
    on conflict on constraint kafka_topic_pkey do update set cluster_id = excluded.cluster_id, topic_id = excluded.topic_id;
    insert into orchestration.kafka_offset as k (topic, partition, next_offset, epoch)
    select seed_offsets.topic, p.partition, p.next_offset, 1 from unnest(partitions, offsets) p(partition, next_offset)
    on conflict on constraint kafka_offset_pkey do update
    set next_offset = excluded.next_offset, epoch = k.epoch + 1, lag = null, read_to_end_at = null, updated_at = orchestration._now();
end
$$;
comment on function orchestration.seed_offsets(text, text, text, integer[], bigint[]) is 'An operator''s word where to begin reading a topic.';
