"""The linters are really run: each planted fault is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack import lint

GOOD = """
create or replace function orchestration.f(p_id bigint) returns bigint language plpgsql set search_path = '' as $$
begin return (select t.id from orchestration.task t where t.id = p_id); end $$;
"""


def test_a_good_function_passes(tmp_path: Path) -> None:
    file = tmp_path / "f.sql"
    file.write_text(GOOD)
    assert lint.check_sql([file])


@pytest.mark.parametrize(
    ("good", "bad", "code"),
    [
        ("set search_path = ''", "", "PS005"),
        ("set search_path = ''", "security definer", "PS003"),
        ("return (", "retrun (", ""),
    ],
)
def test_a_planted_fault_is_found(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], good: str, bad: str, code: str
) -> None:
    fine, file = tmp_path / "fine.sql", tmp_path / "f.sql"
    fine.write_text(GOOD)
    file.write_text(GOOD.replace(good, bad))
    assert not lint.check_sql([file, fine])
    assert not lint.check_sql([fine, file])
    assert code in capfd.readouterr().err
