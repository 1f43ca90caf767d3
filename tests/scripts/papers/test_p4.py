from __future__ import annotations

import pytest

from tests.scripts.papers.checks import check_table
from tests.scripts.papers.short_forms import Make, of_paper

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("table", of_paper("P4"))
def test_each_table_and_figure_of_p4_is_made_by_a_command(table: str, make: Make) -> None:
    check_table(table, *make(table))
