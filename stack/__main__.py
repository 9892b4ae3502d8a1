"""`python -m stack up | down | clean | status`; `make` calls it."""

from __future__ import annotations

import argparse
import os
import sys

from . import StackError
from .local import Stack


def main() -> int:
    """0; 1 with one line of error; `status` answers 3 where something is down."""
    parser = argparse.ArgumentParser(
        prog="python -m stack", description="The local servers of this checkout."
    )
    parser.add_argument("action", choices=("up", "down", "clean", "status"))
    action = parser.parse_args().action
    stack = Stack()
    if action == "up":
        stack.up(tuple(os.environ.get("WITH", "").replace(",", " ").split()))
        print(f"ready; addresses: source {os.path.relpath(stack.layout.env_file)}")
    elif action == "down":
        stack.down()
    elif action == "clean":
        stack.clean()
    else:
        rows = stack.status()
        for row in rows:
            print(f"{row.name:<11} {row.state:<5} {row.address}  ({row.note})")
        return 0 if rows and all(row.state == "up" for row in rows) else 3
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StackError as problem:
        sys.exit(f"error: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)
