"""The reaper's schedule in pg_cron, or the exact statement where pg_cron is not in this database."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

    from .channel import Channel
    from .connect import Say
    from .files import Release

_SET_USER = "select pg_catalog.set_config('orchestration.cron_user', %(user)s, false)"


def schedule_cron(channel: Channel, release: Release, user: str | None, say: Say) -> None:
    """Run `cron.sql` as the admin; its notices are what the operator still has to do, and go to `say`."""
    if release.cron is None:
        return
    channel.note("cron.sql, as the admin: the jobs of pg_cron")
    channel.run(_SET_USER, {"user": user or ""})

    def hear(diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.sqlstate == "00000":
            say(f"note: {diagnostic.message_primary}")

    channel.connection.add_notice_handler(hear)
    try:
        channel.run(release.cron.text)
    finally:
        channel.connection.remove_notice_handler(hear)
