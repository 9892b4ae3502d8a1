"""What Kafka alone takes: reads one topic and writes each message to another at once. A process of its own.

python -m bench.echo BOOTSTRAP FROM TO
"""

from __future__ import annotations

import sys

from confluent_kafka import Consumer, Producer, TopicPartition

from .world import PARTITIONS


def main() -> None:
    bootstrap, source, target = sys.argv[1:]
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0, "acks": "all", "log_level": 0})
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "echo", "enable.auto.commit": False, "log_level": 0}
    )
    consumer.assign([TopicPartition(source, number, 0) for number in range(PARTITIONS)])
    while True:
        message = consumer.poll(1.0)
        if message is not None and message.error() is None:
            producer.produce(target, message.value(), message.key())
            producer.poll(0)


if __name__ == "__main__":
    main()
