"""`python -m orchestration.db apply` is `orchestration db apply`."""

from __future__ import annotations

from .cli import db

if __name__ == "__main__":
    db(prog_name="orchestration db")
