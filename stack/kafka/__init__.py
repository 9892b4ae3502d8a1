"""A Kafka broker of our own: Apache Kafka from Maven artifacts, or the small fallback where that cannot be had."""

from __future__ import annotations

from .broker import Broker, prepare
from .fallback import FALLBACK_LACKS, FallbackBroker
from .jars import Jars

__all__ = ["FALLBACK_LACKS", "AnyBroker", "Broker", "FallbackBroker", "Jars", "prepare"]

AnyBroker = Broker | FallbackBroker
