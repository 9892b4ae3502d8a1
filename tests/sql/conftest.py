"""pgTAP tests, `<function or table>/<behaviour>.sql`: each file runs in one transaction that is rolled back.

`_setup/*.sql` makes the words the files are written in (`given_graph`, `say`, `finish`, `pictures`, `refuses` …), in
schema `tap`, once a session.
"""

from __future__ import annotations

import pytest

from tests.support.databases import Database
from tests.support.pgtap import teach

collect_ignore_glob = ["_setup/*"]


@pytest.fixture(scope="session")
def pgtap_database(pgtap_database: Database) -> Database:
    """The database of all pgTAP files, with the words of `_setup`."""
    teach(pgtap_database)
    return pgtap_database
