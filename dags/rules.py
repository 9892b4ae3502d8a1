"""Which runs that Airflow started by itself are told, and under which run key.

`ORCHESTRATION_AIRFLOW_REPORT_DAGS="sales_*, hourly_load=%Y-%m-%dT%H"`: patterns of dag_ids, the first that fits counts;
behind `=` how the logical date becomes the run key, `%Y-%m-%d` where nothing is said. A run's partition key, where it
has one, is its run key as it stands; a run without either has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone, tzinfo
from fnmatch import fnmatchcase

from .errors import SettingsError

__all__ = ["ReportRule", "find_rule", "report_rules", "run_key_of"]

_DAY = "%Y-%m-%d"
_LIMIT = 250


@dataclass(frozen=True)
class ReportRule:
    """DAGs whose dag_id fits `pattern`; `key` is the strftime format of their run key."""

    pattern: str
    key: str = _DAY


def report_rules(text: str, variable: str) -> tuple[ReportRule, ...]:
    """The rules of a comma-separated list. Raises SettingsError naming `variable`."""
    rules = []
    for word in (word.strip() for word in text.split(",")):
        if not word:
            continue
        pattern, equals, key = (part.strip() for part in word.partition("="))
        if not pattern or (equals and not _is_format(key)):
            raise SettingsError(
                f"{variable} holds {word[:80]!r}",
                "write dag_id patterns, or pattern=%Y-%m-%dT%H for the run key",
            )
        rules.append(ReportRule(pattern, key or _DAY))
    return tuple(rules)


def find_rule(rules: tuple[ReportRule, ...], dag_id: str) -> ReportRule | None:
    """The first rule that fits."""
    return next((rule for rule in rules if fnmatchcase(dag_id, rule.pattern)), None)


def run_key_of(
    rule: ReportRule, zone: tzinfo, logical_date: datetime | None, partition_key: str | None
) -> str | None:
    """The run key of a run that Airflow started by itself; None: it has none, or one that cannot be a run key."""
    if partition_key:
        return partition_key if len(partition_key) <= _LIMIT and partition_key.isprintable() else None
    if logical_date is None:
        return None
    return logical_date.astimezone(zone).strftime(rule.key)


def _is_format(key: str) -> bool:
    try:
        made = datetime(2026, 11, 22, tzinfo=timezone.utc).strftime(key)
    except ValueError:
        return False
    return "%" in key and 0 < len(made) <= _LIMIT and made.isprintable()
