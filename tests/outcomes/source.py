"""Reads `outcomes.txt`.

    # Title of a section
    Words about it.
    graph line: 6 -> 7 -> [8, 9]
    sent 6
    also 5

    row latest queue | title
    > steps
    expected line

`sent` names tasks without predecessor that can be dispatched; others only report.
`also` names tasks that are in no graph yet. A row with several policies is one
test for each. The language of steps is that of `stage.Stage`, that of expected lines `stage.picture`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

__all__ = ["SOURCE", "Row", "Section", "edges", "read"]

SOURCE = Path(__file__).with_name("outcomes.txt")


@dataclass
class Row:
    policies: tuple[str, ...]
    title: str
    steps: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)


@dataclass
class Section:
    title: str
    words: list[str] = field(default_factory=list)
    graphs: dict[str, str] = field(default_factory=dict)
    sent: frozenset[str] = frozenset()
    also: frozenset[str] = frozenset()
    rows: list[Row] = field(default_factory=list)


def read(text: str | None = None) -> list[Section]:
    """All sections, in order."""
    sections: list[Section] = []
    for line in (SOURCE.read_text() if text is None else text).splitlines():
        word, _, rest = line.partition(" ")
        if not line.strip():
            continue
        if word == "#":
            sections.append(Section(rest))
            continue
        here = sections[-1]
        if word == "graph":
            name, _, chains = rest.partition(": ")
            here.graphs[name] = chains
        elif word == "sent":
            here.sent = frozenset(rest.split())
        elif word == "also":
            here.also = frozenset(rest.split())
        elif word == "row":
            policies, _, title = rest.partition(" | ")
            here.rows.append(Row(tuple(policies.split()), title))
        elif word == ">":
            here.rows[-1].steps += rest.split()
        elif here.rows:
            here.rows[-1].expected.append(line)
        else:
            here.words.append(line)
    return sections


def edges(chains: str) -> list[tuple[str, str]]:
    """`1 -> 2, [1, 5] -> 3 -> 4` as pairs."""
    found: list[tuple[str, str]] = []
    for chain in re.split(r",(?![^\[]*\])", chains):
        sides = [re.findall(r"\w+", side) for side in chain.split("->")]
        for before, after in pairwise(sides):
            found += [(first, second) for first in before for second in after]
    return found
