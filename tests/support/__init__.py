"""What several test folders share; fixtures stand in tests/conftest.py."""

from __future__ import annotations
