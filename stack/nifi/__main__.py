"""`python -m stack.nifi FOLDER -- java …`: becomes the server in FOLDER, after ending what an earlier one has left.

For the supervisor: a NiFi that was killed leaves its Python processes alive.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .server import end_leftovers, environment


def main() -> None:
    folder, _, *command = sys.argv[1:]
    os.chdir("/")
    end_leftovers(Path(folder))
    os.chdir(folder)
    os.execve(command[0], command, environment())  # noqa: S606 - the supervisor's program


if __name__ == "__main__":
    main()
