"""The REST API: thin. It parses, calls one function or writes one row, and renders; every rule is the database's."""

from __future__ import annotations

__all__ = ["create_app"]

from .app import create_app
