"""Tables of the house as they are written, and the line of the menu that is current."""

import re

import pytest
from django.template import Context, Template

from tests.apps.trading.conftest import People, signed_in
from trading.templatetags.pieces import Column, columns_of

ROWS = '<tr id="a"><td class="num">1</td><td>x</td></tr><tr><td colspan="2">none</td></tr>'


def written(heads: str, **options: object) -> str:
    told = " ".join(f"{name}={value!r}" for name, value in options.items())
    source = (
        f'{{% load pieces %}}{{% table caption="C" heads="{heads}" {told} %}}{ROWS}{{% endtable %}}'
    )
    return Template(source).render(Context())


def test_marks_before_a_head_may_stand_together_and_are_not_shown() -> None:
    assert columns_of("When|>Net P&L|~>p95 > 1|.Acts") == [
        Column("When"),
        Column("Net P&L", is_number=True),
        Column("p95 > 1", is_number=True, is_minor=True),
        Column("Acts", is_heard=True),
    ]


def test_each_cell_of_a_card_has_its_columns_head() -> None:
    shown = written("<b>|>Price", cards=True)

    assert '<td data-label="&lt;b&gt;" class="num">1</td><td data-label="Price">x</td>' in shown
    assert '<tr><td colspan="2">none</td></tr>' in shown


def test_a_head_that_is_only_heard_labels_no_cell() -> None:
    shown = written(".Choose|Price", cards=True)

    assert '<span class="visually-hidden">Choose</span>' in shown
    assert '<td data-label="" class="num">1</td>' in shown


def test_a_table_that_is_no_card_is_left_as_it_is() -> None:
    assert ROWS in written("A|B")


@pytest.mark.parametrize(
    ("path", "words"),
    [("/", "Dashboard"), ("/markets/", "Markets"), ("/charts/", "Charts"), ("/decisions/", "Decisions"),
     ("/history/orders/", "Orders &amp; history"), ("/keys/", "API keys")],
)  # fmt: skip
def test_one_line_of_the_menu_is_current(people: People, path: str, words: str) -> None:
    shown = signed_in(people.olga).get(path).content.decode()

    marked = re.findall(r'aria-current="page">.*?<span>(.*?)</span>', shown)
    assert marked == [words]
