"""A Kafka broker of our own: Apache Kafka from Maven artifacts, or the small fallback where that cannot be had."""

from __future__ import annotations

from .broker import Broker, prepare
from .fallback import FALLBACK_LACKS, FallbackBroker
from .jars import Jars, fetched

__all__ = ["FALLBACK_LACKS", "AnyBroker", "Broker", "FallbackBroker", "Jars", "fetched", "prepare"]

AnyBroker = Broker | FallbackBroker
