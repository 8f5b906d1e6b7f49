"""Tables and charts of the house: a declaration around what a page puts in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
CELL = re.compile(r"<td\b")
SPANS = "colspan="


@dataclass(frozen=True, slots=True)
class Column:
    """A column's head; numbers stand to the right. A phone shows what matters most at first, and no screen
    what is spare."""

    words: str
    is_number: bool = False
    is_minor: bool = False
    is_heard: bool = False
    is_spare: bool = False


def columns_of(heads: str) -> list[Column]:
    """Columns of a declaration, parted by ``|``: ``>`` begins a number, ``~`` what may wait, ``.`` a head
    that is read aloud and not shown."""
    return [
        Column(
            words := head.lstrip("~>."),
            is_number=">" in (marks := head.removesuffix(words)),
            is_minor="~" in marks,
            is_heard="." in marks,
        )
        for head in heads.split("|")
    ]


def labelled(content: str, columns: Sequence[Column]) -> SafeString:
    """Each cell with its column's head, for a row that is shown as a card."""
    labels = [
        format_html('<td data-label="{}"', "" if one.is_heard else one.words) for one in columns
    ]

    def label_cells(row: re.Match[str]) -> str:
        if SPANS in row[0]:
            return row[0]
        own = iter(labels)
        return CELL.sub(lambda cell: next(own, cell[0]), row[0])

    return mark_safe(ROW.sub(label_cells, content))  # noqa: S308 - the block's own, escaped by it


@register.simple_block_tag
def table(
    content: str,
    *,
    caption: str,
    heads: str | Sequence[Column],
    look: str = "",
    rows: str = "",
    scroll: str = "",
    cards: bool = False,
) -> SafeString:
    """A table around its rows; ``rows`` is the id of its body, ``scroll`` how it scrolls.

    With ``cards`` a phone shows each row as a card with every column in it.
    """
    columns = columns_of(heads) if isinstance(heads, str) else heads
    places = range(1, len(columns) + 1)
    shape = [f"num-{at}" for at, one in zip(places, columns, strict=True) if one.is_number]
    shape += [f"minor-{at}" for at, one in zip(places, columns, strict=True) if one.is_minor]
    context = {
        "caption": caption,
        "columns": columns,
        "has_minor": any(one.is_minor for one in columns),
        "has_spare": any(one.is_spare for one in columns),
        "shape": " ".join([look, *shape]).strip(),
        "rows": rows,
        "scroll": scroll,
        "cards": cards,
        "content": labelled(content, columns) if cards else content,
    }
    return render_to_string("ui/table.html", context)


@register.simple_block_tag
def chart(
    content: str,
    *,
    id: str,
    label: str,
    empty: str,
    says: str = "",
    size: str = "chart",
    state: str = "loading",
    spoken: str = "",
    readable: str = "",
) -> SafeString:
    """A chart below its legend, and what stands in its place while it loads, fails or has nothing.

    With ``spoken``, the id of what tells the bar under the cursor, keys move in it; with
    ``readable``, the id of a table's body, its bars can be read as a table.
    """
    context = {
        "id": id,
        "label": label,
        "empty": empty,
        "says": says,
        "size": size,
        "state": state,
        "spoken": spoken,
        "readable": readable,
        "content": content,
    }
    return render_to_string("ui/chart.html", context)
