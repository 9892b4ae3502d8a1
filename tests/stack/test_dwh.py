"""The warehouse that `make up WITH=…` adds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from stack import StackError, dwh
from stack.layout import Layout
from stack.postgres import Cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A server of its own: a role belongs to the whole of it."""
    with Cluster.throwaway() as made:
        yield made


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "run")
    made.prepare()
    return made


def test_made_once_and_kept(cluster: Cluster, layout: Layout) -> None:
    said: list[str] = []
    had, dsn = dwh.bring_up(layout, {}, {}, cluster.admin_dsn, said.append)
    with psycopg.connect(dsn, autocommit=True) as owner:
        assert owner.execute("select current_user, rolsuper from pg_roles where rolname = current_user").fetchone() == (
            "dwh", False,
        )  # fmt: skip
        owner.execute("insert into stg.sales (batch_id, business_date) values ('b', '2026-11-22')")
    assert dwh.bring_up(layout, had, {}, cluster.admin_dsn, said.append) == (had, dsn)
    assert said == ["warehouse: database dwh"], "the second call had nothing to make"
    # another folder's stack, or one whose state is lost: the data stay
    _, other = dwh.bring_up(layout, {}, {}, cluster.admin_dsn, said.append)
    with psycopg.connect(other) as owner:
        assert owner.execute("select count(*) from stg.sales").fetchone() == (1,)


def test_the_users_own_is_used(cluster: Cluster, layout: Layout) -> None:
    with psycopg.connect(cluster.admin_dsn, autocommit=True) as admin:
        admin.execute("create database lake")
    own = cluster.dsn("lake")
    had, dsn = dwh.bring_up(layout, {}, {dwh.VARIABLE: own}, "postgresql://127.0.0.1:1/nowhere", print)
    assert (had, dsn) == ({}, own)
    with psycopg.connect(own) as connection:
        assert connection.execute("select count(*) from ods.sales").fetchone() == (0,)


def test_what_cannot_be_is_said_in_a_line(cluster: Cluster, layout: Layout) -> None:
    with pytest.raises(StackError, match=r"^database dwh cannot be made: "):
        dwh.bring_up(layout, {}, {}, "postgresql://postgres:wrong@127.0.0.1:1/postgres", print)
    with pytest.raises(StackError, match=r"name one host"):
        dwh.bring_up(layout, {}, {}, "host=/run/postgresql user=postgres", print)
    with pytest.raises(StackError, match=r"^the warehouse's tables cannot be made: .*does not exist"):
        dwh.bring_up(layout, {}, {dwh.VARIABLE: cluster.dsn("nowhere")}, cluster.admin_dsn, print)
