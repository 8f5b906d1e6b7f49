"""Findings that must be made, though of rows that look the same one is measured."""

import pytest
from playwright.sync_api import Browser

from tests.browser.usable import grave_findings

pytestmark = pytest.mark.browser
PAGE = """<!doctype html><html lang="en"><head><title>t</title></head><body><main><h1>Trades</h1>
<table><tbody>{rows}</tbody></table></main></body></html>"""
USUAL = "<tr><td><b>12.30</b></td></tr>"


@pytest.mark.parametrize(
    ("odd", "finding"),
    [
        (USUAL, ""),
        ('<tr><td><b style="color: #ddd">12.30</b></td></tr>', "color-contrast"),
        ('<tr style="opacity: 0.2"><td><b>12.30</b></td></tr>', "color-contrast"),
        ("<tr><td><b>12.30</b><button></button></td></tr>", "button-name"),
    ],
)
def test_the_one_row_that_is_hard_to_use_is_found_among_many(
    browser: Browser, odd: str, finding: str
) -> None:
    page = browser.new_page()
    page.set_content(PAGE.format(rows=USUAL * 5 + odd + USUAL * 5))

    told = grave_findings(page)

    page.context.close()
    assert len(told) == (finding != "")
    assert all(one.startswith(finding) for one in told)


def test_a_word_is_measured_where_the_first_row_has_none(browser: Browser) -> None:
    pale = '<tr><td><b style="color: #ddd">{}</b></td></tr>'
    page = browser.new_page()
    page.set_content(PAGE.format(rows=pale.format("") * 2 + pale.format("12.30") * 2))

    told = grave_findings(page)

    page.context.close()
    assert len(told) == 1
