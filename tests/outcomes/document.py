"""docs/repeats.md from head.md and the source: `python -m tests.outcomes.document`."""

from __future__ import annotations

from pathlib import Path

from tests.outcomes.source import Section, read

__all__ = ["DOCUMENT", "render"]

DOCUMENT = Path(__file__).parents[2] / "docs" / "repeats.md"
HEAD = Path(__file__).with_name("head.md")


def render(sections: list[Section]) -> str:
    """The document."""
    parts = [HEAD.read_text()]
    for section in sections:
        parts.append(f"\n## {section.title}\n")
        parts += [f"{line}\n" for line in section.words]
        graphs = "; ".join(f"{name}: `{chains}`" for name, chains in section.graphs.items())
        sent = f" Can be dispatched: {', '.join(sorted(section.sent))}." if section.sent else ""
        parts.append(f"\nGraph {graphs}.{sent}\n\n| policy | what | steps | outcome |\n|---|---|---|---|\n")
        for row in section.rows:
            outcome = "<br>".join(f"`{line}`" for line in row.expected)
            steps = " ".join(row.steps)
            parts.append(f"| {', '.join(row.policies)} | {row.title} | `{steps}` | {outcome} |\n")
    return "".join(parts)


if __name__ == "__main__":
    DOCUMENT.write_text(render(read()))
