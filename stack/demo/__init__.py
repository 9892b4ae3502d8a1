"""`make demo`: the whole flow on real servers, shown as it happens and drawn at its end."""

from __future__ import annotations
