"""What the same root again leads to: `outcomes.txt` makes the table of docs/repeats.md and a test a row."""

from __future__ import annotations
