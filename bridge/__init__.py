"""The bridge: a stateless shuttle between Kafka and PostgreSQL.

Events come in by `consumer`, are handed to the database by `intake` in the transaction that stores their offsets,
and the dispatches that this call returns go out by `producer`. What others made ready (SQL, REST, a dead bridge)
is sent by `dispatcher`. All decisions are PostgreSQL's; no message is parsed here.
"""

from __future__ import annotations
