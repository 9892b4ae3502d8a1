"""The database: its settings, its deployment, and the SQL itself.

`migrations/` are applied once each and never edited after a release; `functions/` holds one file a function
and is applied again on every deployment, as are `grants.sql` and `cron.sql`; `roles.sql` belongs to `create`.
"""

from __future__ import annotations

from pathlib import Path

SQL_DIR = Path(__file__).resolve().parent
"""The folder of this release's SQL; every function of the deployment takes another one as `sql_dir`."""

SCHEMA = "orchestration"
OWNER = "orchestration_owner"
APP = "orchestration_app"
READER = "orchestration_reader"
