"""The local servers: PostgreSQL, Kafka and a supervised bridge, for `make up`, `make demo` and the tests."""

from __future__ import annotations


def say(words: str) -> None:
    """Tell the user, at once also where the output is a pipe."""
    print(words, flush=True)


class StackError(Exception):
    """What a user has to know: one line that names the thing and the remedy."""
