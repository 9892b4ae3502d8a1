"""What a benchmark says: progress on stderr, figures and one last line, the verdict, on stdout."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import click

__all__ = ["Figure", "percentile", "say", "step", "verdict"]


@dataclass(frozen=True)
class Figure:
    """One measured value against its target; `at_most` says which side is good. No target: shown only."""

    name: str
    value: float
    target: float | None = None
    at_most: bool = False
    unit: str = ""

    @property
    def reached(self) -> bool:
        if self.target is None:
            return True
        return self.value <= self.target if self.at_most else self.value >= self.target

    def __str__(self) -> str:
        words = f"{self.name} {_number(self.value)}{self.unit}"
        if self.target is None:
            return words
        sign = "<=" if self.at_most else ">="
        return f"{words} ({'' if self.reached else 'MISSED, '}{sign} {_number(self.target)}{self.unit})"


def verdict(name: str, figures: Sequence[Figure]) -> bool:
    """The last line of a benchmark; whether every target was reached."""
    reached = all(figure.reached for figure in figures)
    click.echo(
        f"{name}: {'reached' if reached else 'MISSED'}: {'; '.join(str(figure) for figure in figures)}"
    )
    return reached


def say(words: str) -> None:
    """A line of progress."""
    click.echo(f"  {time.strftime('%H:%M:%S')} {words}", err=True)
    sys.stderr.flush()


@contextmanager
def step(words: str) -> Iterator[None]:
    """A stretch of work, with its seconds when it is done."""
    say(f"{words} …")
    begun = time.perf_counter()
    yield
    say(f"{words}: {time.perf_counter() - begun:.1f} s")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"
