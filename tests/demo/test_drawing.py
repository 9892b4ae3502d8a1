"""The drawing of graphs: what is drawn is the graph, whatever it looks like."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.client.drawing import Box, Picture, draw
from orchestration.client.layers import arrange

Edge = tuple[str, str]

LEFT, RIGHT, UP, DOWN = (-1, 0), (1, 0), (0, -1), (0, 1)
WAYS = {
    "─": (LEFT, RIGHT), "│": (UP, DOWN), "╭": (RIGHT, DOWN), "╮": (LEFT, DOWN), "╰": (RIGHT, UP), "╯": (LEFT, UP),
    "├": (UP, RIGHT, DOWN), "┤": (UP, LEFT, DOWN), "┬": (LEFT, RIGHT, DOWN), "┴": (LEFT, RIGHT, UP),
    "┼": (UP, DOWN, LEFT, RIGHT),
}  # fmt: skip


def boxes(names: str, text: int = 0) -> list[Box]:
    return [Box(name, (name, *[f"{name} line {number}" for number in range(text)])) for name in names]


def picture(names: str, *edges: str) -> list[str]:
    return draw(boxes(names), [(edge[0], edge[1]) for edge in edges]).lines


def read(drawn: Picture, names: str) -> set[Edge]:
    """The edges a reader sees: lines followed with a finger from every box to the arrows."""
    cells = drawn.cells
    frames = {name: frame(cells, name) for name in names}
    edges = set()
    for name, (_, right, top, bottom) in frames.items():
        starts = [(right, row, RIGHT) for row in range(top, bottom + 1) if cells[row][right] in "├╟"]
        for x, y in arrows(cells, starts):
            (target,) = [n for n, (left, _, t, b) in frames.items() if left == x + 1 and t < y < b]
            edges.add((name, target))
    return edges


def frame(cells: list[list[str]], name: str) -> tuple[int, int, int, int]:
    """(left, right, top, bottom) of the box whose first line is `name`."""
    ((x, y),) = [
        (x, y)
        for y, row in enumerate(cells)
        for x in range(2, len(row) - 1)
        if row[x] == name and row[x - 1] == " " and row[x - 2] in "│║" and cells[y - 1][x - 2] in "╭╔"
    ]
    left, top = x - 2, y - 1
    right = next(at for at in range(left + 1, len(cells[top])) if cells[top][at] in "╮╗")
    bottom = next(at for at in range(top + 1, len(cells)) if cells[at][left] in "╰╚")
    return left, right, top, bottom


def arrows(cells: list[list[str]], starts: list[tuple[int, int, tuple[int, int]]]) -> set[tuple[int, int]]:
    """Where lines end that begin at `starts` (x, y, direction)."""
    found: set[tuple[int, int]] = set()
    seen = set()
    todo = list(starts)
    while todo:
        x, y, (dx, dy) = step = todo.pop()
        if step in seen:
            continue
        seen.add(step)
        x, y = x + dx, y + dy
        character = cells[y][x]
        if character == "►":
            assert dy == 0
            found.add((x, y))
        elif character == "│" and dx:  # another line is in front of this one
            todo.append((x, y, (dx, dy)))
        else:
            ways = WAYS[character]
            assert (-dx, -dy) in ways, f"a line breaks at {x}, {y}"
            todo += [(x, y, way) for way in ways if way != (-dx, -dy)]
    return found


def test_one_after_the_other() -> None:
    assert picture("67", "67") == [
        "╭───╮   ╭───╮",
        "│ 6 ├──►│ 7 │",
        "│   │   │   │",
        "╰───╯   ╰───╯",
    ]


def test_a_fan_out() -> None:
    assert picture("789", "78", "79") == [
        "╭───╮    ╭───╮",
        "│ 7 ├─┬─►│ 8 │",
        "│   │ │  │   │",
        "╰───╯ │  ╰───╯",
        "      │  ╭───╮",
        "      ╰─►│ 9 │",
        "         │   │",
        "         ╰───╯",
    ]


def test_a_join_has_an_arrow_for_each_line() -> None:
    assert picture("153", "13", "53") == [
        "╭───╮",
        "│ 1 ├─╮",
        "│   │ │  ╭───╮",
        "╰───╯ ╰─►│ 3 │",
        "╭───╮    │   │",
        "│ 5 ├───►│   │",
        "│   │    ╰───╯",
        "╰───╯",
    ]


def test_a_line_passes_a_layer() -> None:
    assert picture("123", "12", "23", "13") == [
        "╭───╮    ╭───╮",
        "│ 1 ├─┬─►│ 2 ├─╮",
        "│   │ │  │   │ │  ╭───╮",
        "╰───╯ │  ╰───╯ ╰─►│ 3 │",
        "      │           │   │",
        "      ╰──────────►│   │",
        "                  ╰───╯",
    ]


def test_a_line_in_front_of_another() -> None:
    """Which of the two lines a crossing belongs to can be seen."""
    drawn = draw(boxes("1234"), [("1", "3"), ("1", "4"), ("2", "3"), ("2", "4")])
    assert any("─│─" in line for line in drawn.lines)
    assert read(drawn, "1234") == {("1", "3"), ("1", "4"), ("2", "3"), ("2", "4")}


def test_a_double_frame() -> None:
    drawn = draw([Box("6", ("6",), double=True), Box("7", ("7",))], [("6", "7")])
    assert drawn.lines[:2] == ["╔═══╗   ╭───╮", "║ 6 ╟──►│ 7 │"]


def test_styles_follow_frames_and_lines() -> None:
    drawn = draw([Box("6", ("6",), "red", "blue"), Box("7", ("7",), "green", "")], [("6", "7")])
    assert drawn.styles[0][:5] == ["red"] * 5
    assert drawn.styles[1][4:9] == ["red", "blue", "blue", "blue", "green"]


def test_no_box_is_no_picture() -> None:
    assert draw([], []).lines == []


def test_a_cycle_and_an_edge_to_nowhere_are_refused() -> None:
    with pytest.raises(ValueError, match="cycle"):
        picture("12", "12", "21")
    with pytest.raises(ValueError, match="names 3, which is no box"):
        picture("12", "13")


def test_layers_are_the_longest_paths() -> None:
    layers = arrange("1234", [("1", "2"), ("2", "3"), ("1", "3"), ("4", "3")])
    places = {node.name: node.layer for layer in layers.order for node in layer if not node.passing}
    assert places == {"1": 0, "2": 1, "3": 2, "4": 0}


def test_the_order_avoids_crossings() -> None:
    layers = arrange("1234", [("1", "4"), ("2", "3")])
    assert [[node.name for node in layer] for layer in layers.order] == [["1", "2"], ["4", "3"]]


NAMES = "abcdefgh"


@st.composite
def graphs(draw_from: st.DrawFn) -> tuple[list[str], set[Edge]]:
    """Names in any order, and edges without a cycle among them."""
    names = NAMES[: draw_from(st.integers(1, len(NAMES)))]
    edges = {pair for pair in combinations(names, 2) if draw_from(st.booleans())}
    return draw_from(st.permutations(names)), edges


@settings(max_examples=200, deadline=None)
@given(graphs(), st.integers(0, 3))
def test_every_graph_can_be_read_from_its_picture(graph: tuple[list[str], set[Edge]], text: int) -> None:
    names, edges = graph
    drawn = draw(boxes("".join(names), text), edges)
    assert read(drawn, "".join(names)) == edges, "\n" + "\n".join(drawn.lines)
