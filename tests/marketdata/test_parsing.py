"""The compiled way through a block and the line-by-line way read the same bits."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.marketdata.formats import detect
from trading.marketdata.lines import Block
from trading.marketdata.parsing import parse_block

HEADER = "ts,open,high,low,close,volume\n"
SPELLINGS = st.one_of(
    st.floats(1e-9, 1e12, allow_subnormal=False).map(repr),
    st.decimals(0, 10**9, places=8).map(lambda value: f"{value:f}"),
    st.integers(0, 10**15).map(str),
    st.sampled_from(
        [
            "1e5",
            "1.5E-3",
            "000.1",
            "5.",
            ".5",
            "0.1000000000000000055511151231257827",
            "9007199254740993",
        ]
    ),
)


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.tuples(*[SPELLINGS] * 5), min_size=1, max_size=20))
def test_both_ways_round_every_spelling_alike(rows):
    lines = [f"{1_704_067_200_000 + n * 60_000},{','.join(row)}\n" for n, row in enumerate(rows)]
    layout = detect([HEADER, *lines])

    alone = parse_block(Block(1, (HEADER + "".join(lines)).encode()), layout)
    with_trouble = parse_block(Block(1, (HEADER + "".join(lines) + "trouble\n").encode()), layout)

    assert alone.errors == []
    assert with_trouble.errors == [(len(rows) + 2, "wrong column count: 1 where 6 are expected")]
    assert alone.bars.tobytes() == with_trouble.bars.tobytes()
    assert alone.bars["close"].tolist() == [float(row[3]) for row in rows]
    assert alone.lines.tolist() == list(range(2, len(rows) + 2))


@settings(max_examples=60, deadline=None)
@given(noise=st.binary(max_size=200))
def test_no_noise_between_lines_breaks_the_reading_of_the_others(noise):
    good = "1704067200000,1,2,0.5,1.5,3\n"
    layout = detect([HEADER, good])
    data = HEADER.encode() + good.encode() + noise.replace(b"\n", b" ") + b"\n" + good.encode()

    parsed = parse_block(Block(1, data), layout)

    assert parsed.lines.tolist()[0] == 2
    assert parsed.lines.tolist()[-1] == 4
    assert np.isin([2, 4], parsed.lines).all()
