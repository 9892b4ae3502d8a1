"""The database against the model of tests/model: random graphs, random events and statements, the same end state.

`shapes` says what graphs and steps are drawn, `database` is the side that runs on PostgreSQL, `runner` plays one script
on both sides and names the first difference.
"""

from __future__ import annotations
