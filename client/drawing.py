"""A graph drawn with box characters, layers from left to right. Knows nothing of tasks and their states.

    ╭───╮   ╭───╮      A line leaves a box at ├ and ends at an arrow. Where lines of two boxes cross, the upright one
    │ 1 ├─┬►│ 2 │      is drawn and the other goes on behind it (─│─); every other meeting of lines joins them.
    ╰───╯ │ ╰───╯

Lines enter boxes on even rows. They leave on odd ones, or on a row on which they themselves enter the next box: so no
two lines ever share a stretch of a row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .layers import Layers, Node, arrange

__all__ = ["Box", "Picture", "draw"]

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_WIRES = {
    _LEFT: "─", _RIGHT: "─", _LEFT | _RIGHT: "─", _UP: "│", _DOWN: "│", _UP | _DOWN: "│",
    _RIGHT | _DOWN: "╭", _LEFT | _DOWN: "╮", _RIGHT | _UP: "╰", _LEFT | _UP: "╯",
    _UP | _RIGHT | _DOWN: "├", _UP | _LEFT | _DOWN: "┤", _LEFT | _RIGHT | _DOWN: "┬", _LEFT | _RIGHT | _UP: "┴",
    _UP | _DOWN | _LEFT | _RIGHT: "┼",
}  # fmt: skip
_SINGLE = tuple("╭╮╰╯─│├")
_DOUBLE = tuple("╔╗╚╝═║╟")


@dataclass(frozen=True)
class Box:
    """One node: lines of text in a frame (double or not); `style` is its frame's, `wire` that of its lines."""

    name: str
    text: tuple[str, ...]
    style: str = ""
    wire: str = ""
    double: bool = False


@dataclass
class Picture:
    """Characters and their styles, row by row; all rows are equally long."""

    width: int
    height: int
    cells: list[list[str]] = field(init=False)
    styles: list[list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.cells = [[" "] * self.width for _ in range(self.height)]
        self.styles = [[""] * self.width for _ in range(self.height)]

    def put(self, x: int, y: int, text: str, style: str = "") -> None:
        """Write `text` from there to the right."""
        for at, character in enumerate(text, x):
            self.cells[y][at] = character
            self.styles[y][at] = style

    @property
    def lines(self) -> list[str]:
        """The rows as text, without trailing blanks."""
        return ["".join(row).rstrip() for row in self.cells]


def draw(boxes: Sequence[Box], edges: Iterable[tuple[str, str]]) -> Picture:
    """The picture of a graph without cycles. Raises ValueError for a cycle, or an edge to no box."""
    layers = arrange([box.name for box in boxes], edges)
    return _Drawing({box.name: box for box in boxes}, layers).picture


class _Drawing:
    """Rows first (entries, boxes, exits), then tracks, then columns, then ink."""

    def __init__(self, boxes: dict[str, Box], layers: Layers) -> None:
        self._boxes = boxes
        self._layers = layers
        self._top: dict[Node, int] = {}
        self._entry: dict[tuple[Node, Node], int] = {}
        self._exit: dict[Node, int] = {}
        self._place_rows()
        tracks = [self._order(gap) for gap in range(len(layers.order) - 1)]
        self._widths = [
            max((self._width(node) for node in layer if not node.passing), default=1)
            for layer in layers.order
        ]
        gaps = [max(3, 2 * len(order) + 2) for order in tracks]
        bottom = max(
            (self._top[node] + self._height(node) for layer in layers.order for node in layer), default=1
        )
        self.picture = Picture(sum(self._widths) + sum(gaps), bottom - 1)
        self._ink: dict[tuple[int, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        x = 0
        for number, layer in enumerate(layers.order):
            width = self._widths[number]
            for node in layer:
                self._draw_node(node, x, width)
            x += width
            if number < len(gaps):
                self._draw_gap(number, x, gaps[number], tracks[number])
                x += gaps[number]
        self._set_wires()

    # -- rows: the first is 1, so that boxes begin on odd rows and the first row in a box is even --------------------

    def _inner(self, node: Node) -> int:
        """Rows within a box: enough for its text and for one even row a line that enters."""
        return max(2, len(self._boxes[node.name].text), 2 * len(self._layers.before[node]) - 1)

    def _height(self, node: Node) -> int:
        return 2 if node.passing else self._inner(node) + 2

    def _width(self, node: Node) -> int:
        return max((len(line) for line in self._boxes[node.name].text), default=0) + 4

    def _place_rows(self) -> None:
        for number, layer in enumerate(self._layers.order):
            row = 1
            for node in layer:
                before = [self._top[source] for source in self._layers.before[node]]
                wanted = sum(before) // len(before) if before else row
                row = max(row, wanted - 1 + wanted % 2)
                self._top[node] = row
                row += self._height(node)
                row += 1 - row % 2
                sources = sorted(self._layers.before[node], key=lambda source: self._top[source])
                for at, source in enumerate(sources):
                    self._entry[source, node] = self._top[node] + 1 + 2 * at
            if number:
                self._choose_exits(number - 1)

    def _choose_exits(self, gap: int) -> None:
        nets = self._layers.nets[gap]
        for source, targets in nets.items():
            own = {self._entry[source, target] for target in targets}
            foreign = {
                self._entry[other, target]
                for other, theirs in nets.items()
                if other != source
                for target in theirs
            }
            top = self._top[source]
            rows = [top + 1, top] if source.passing else range(top + 1, top + 1 + self._inner(source))
            free = [row for row in rows if row not in foreign]
            straight = [row for row in free if row in own]
            self._exit[source] = (straight or free)[0]

    # -- tracks: each line that turns has an upright of its own ------------------------------------------------------

    def _rows_of(self, gap: int, source: Node) -> list[int]:
        targets = self._layers.nets[gap][source]
        return [self._exit[source], *(self._entry[source, target] for target in targets)]

    def _order(self, gap: int) -> list[Node]:
        """The lines that turn, from left to right, neighbours swapped while that saves crossings."""
        turning = [source for source in self._layers.nets[gap] if len(set(self._rows_of(gap, source))) > 1]
        turning.sort(key=lambda source: -self._exit[source])

        def crossings(left: Node, right: Node) -> int:
            ours, theirs = self._rows_of(gap, left), self._rows_of(gap, right)
            behind = min(ours) < self._exit[right] < max(ours)
            return behind + sum(min(theirs) < row < max(theirs) for row in ours[1:])

        for _ in turning:
            for at in range(len(turning) - 1):
                left, right = turning[at : at + 2]
                if crossings(right, left) < crossings(left, right):
                    turning[at : at + 2] = right, left
        return turning

    # -- ink ---------------------------------------------------------------------------------------------------------

    def _draw_node(self, node: Node, x: int, width: int) -> None:
        top = self._top[node] - 1
        if node.passing:
            (source,) = self._layers.before[node]
            middle = x + width // 2
            entry, leaves = self._entry[source, node], self._exit[node]
            self._across(node.name, x, middle, entry)
            self._upright(node.name, middle, entry, leaves)
            self._across(node.name, middle, x + width - 1, leaves)
            return
        box = self._boxes[node.name]
        left_top, right_top, left_low, right_low, flat, side, out = _DOUBLE if box.double else _SINGLE
        self.picture.put(x, top, left_top + flat * (width - 2) + right_top, box.style)
        for at in range(self._inner(node)):
            self.picture.put(x, top + 1 + at, side, box.style)
            if at < len(box.text):
                self.picture.put(x + 2, top + 1 + at, box.text[at], box.style)
            self.picture.put(x + width - 1, top + 1 + at, side, box.style)
        self.picture.put(x, top + self._inner(node) + 1, left_low + flat * (width - 2) + right_low, box.style)
        if node in self._exit:
            self.picture.put(x + width - 1, self._exit[node] - 1, out, box.style)

    def _draw_gap(self, gap: int, x: int, width: int, tracks: list[Node]) -> None:
        end = x + width - 1
        for source, targets in self._layers.nets[gap].items():
            at = x + 1 + 2 * tracks.index(source) if source in tracks else x
            self._across(source.name, x, at, self._exit[source])
            for target in targets:
                row = self._entry[source, target]
                self._upright(source.name, at, self._exit[source], row)
                self._across(source.name, at, end, row)
                if not target.passing:
                    self.picture.put(end, row - 1, "►", self._boxes[source.name].wire)

    def _across(self, net: str, left: int, right: int, row: int) -> None:
        """A level stretch, open at both ends: what it meets there joins it."""
        for x in range(left, right + 1):
            self._ink[x, row][net] |= (_LEFT if x > left else 0) | (_RIGHT if x < right else 0)
        if left == right:
            self._ink[left, row][net] |= 0

    def _upright(self, net: str, x: int, one: int, other: int) -> None:
        top, bottom = min(one, other), max(one, other)
        for row in range(top, bottom + 1):
            self._ink[x, row][net] |= (_UP if row > top else 0) | (_DOWN if row < bottom else 0)

    def _set_wires(self) -> None:
        for (x, row), nets in self._ink.items():
            if self.picture.cells[row - 1][x] == "►":
                continue
            net, bits = next(iter(nets.items()))
            for other, theirs in nets.items():
                if theirs & (_UP | _DOWN):
                    net, bits = other, theirs
            self.picture.put(x, row - 1, _WIRES[bits], self._boxes[net].wire)
