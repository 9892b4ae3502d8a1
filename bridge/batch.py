"""Messages on their way into the database, in columns: what `ingest` takes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Batch:
    """Messages in the order read: per partition by offset. Four lists of the same length."""

    partitions: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    keys: list[bytes | None] = field(default_factory=list)
    payloads: list[bytes | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.offsets)

    def ends(self) -> dict[int, int]:
        """The offset after the last message, by partition."""
        return {
            partition: offset + 1 for partition, offset in zip(self.partitions, self.offsets, strict=True)
        }

    def halves(self) -> tuple[Batch, Batch]:
        """The first half and the rest; order is kept, so each can be applied after the other."""
        middle = len(self) // 2
        return self._slice(0, middle), self._slice(middle, len(self))

    def _slice(self, begin: int, end: int) -> Batch:
        return Batch(
            self.partitions[begin:end],
            self.offsets[begin:end],
            self.keys[begin:end],
            self.payloads[begin:end],
        )
