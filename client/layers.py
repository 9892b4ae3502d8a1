"""Where the boxes of a drawing stand: in which layer, and in which order within it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

__all__ = ["Layers", "Node", "arrange"]

_SWEEPS = 8


@dataclass(frozen=True)
class Node:
    """A box in its layer; or, `passing`, a layer that lines of that box only pass on their way to a later one."""

    name: str
    layer: int
    passing: bool = False


@dataclass(frozen=True)
class Layers:
    """`order`: the nodes of each layer, from the top. `nets`: by gap (between layer i and i + 1) and source, where the
    lines of that source lead. `before`: the sources of each node.
    """

    order: Sequence[Sequence[Node]]
    nets: Sequence[Mapping[Node, Sequence[Node]]]
    before: Mapping[Node, Sequence[Node]]


def arrange(names: Sequence[str], edges: Iterable[tuple[str, str]]) -> Layers:
    """Every box one layer behind the last of its predecessors, ordered so that few lines cross.

    Raises ValueError for a cycle and for an edge to a name that is not there.
    """
    edges = list(dict.fromkeys(edges))
    layer = _longest_paths(names, edges)
    order: list[list[Node]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for name in names:
        order[layer[name]].append(Node(name, layer[name]))
    nets: list[dict[Node, list[Node]]] = [defaultdict(list) for _ in order[1:]]
    for source, target in edges:
        for gap in range(layer[source], layer[target]):
            here = Node(source, gap, gap > layer[source])
            there = Node(target, gap + 1) if gap + 1 == layer[target] else Node(source, gap + 1, True)
            if there.passing and there not in order[gap + 1]:
                order[gap + 1].append(there)
            if there not in nets[gap][here]:
                nets[gap][here].append(there)
    before: dict[Node, list[Node]] = defaultdict(list)
    for net in nets:
        for one, targets in net.items():
            for other in targets:
                before[other].append(one)
    return Layers(_fewest_crossings(order, nets, before), nets, before)


def _longest_paths(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    layer = dict.fromkeys(names, 0)
    for edge in edges:
        for name in edge:
            if name not in layer:
                raise ValueError(f"an edge names {name}, which is no box")
    for _ in range(len(layer) + 1):
        longer = {target: layer[source] + 1 for source, target in edges if layer[target] <= layer[source]}
        if not longer:
            return layer
        layer |= {name: max(depth, layer[name]) for name, depth in longer.items()}
    raise ValueError("the edges form a cycle")


def _fewest_crossings(
    order: list[list[Node]],
    nets: Sequence[Mapping[Node, Sequence[Node]]],
    before: Mapping[Node, Sequence[Node]],
) -> list[list[Node]]:
    """The best of some sweeps that sort each layer by where its neighbours stand, from left and from right in turn."""
    best, fewest = order, _crossings(order, nets)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        order = [list(layer) for layer in order]
        forward = sweep % 2 == 0
        for number in range(1, len(order)) if forward else range(len(order) - 2, -1, -1):
            neighbours = before if forward else nets[number]
            places = {node: at for at, node in enumerate(order[number - 1 if forward else number + 1])}
            own = {node: at for at, node in enumerate(order[number])}

            def middle(
                node: Node,
                neighbours: Mapping[Node, Sequence[Node]] = neighbours,
                places: Mapping[Node, int] = places,
                own: Mapping[Node, int] = own,
            ) -> float:
                there = neighbours.get(node)
                return sum(places[other] for other in there) / len(there) if there else own[node]

            order[number].sort(key=middle)
        count = _crossings(order, nets)
        if count < fewest:
            best, fewest = order, count
    return best


def _crossings(order: Sequence[Sequence[Node]], nets: Sequence[Mapping[Node, Sequence[Node]]]) -> int:
    total = 0
    for left, right, net in zip(order, order[1:], nets, strict=False):
        from_top = {node: at for at, node in enumerate(left)}
        to = {node: at for at, node in enumerate(right)}
        lines = [(from_top[source], to[target]) for source, targets in net.items() for target in targets]
        total += sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(lines, 2))
    return total
