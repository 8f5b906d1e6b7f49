"""The simulated venue and the pipeline together: orders into the book, its fills into the account."""

from trading.core import fills as fill_model
from trading.core import pipeline
from trading.core.jit import kernel, stage


@kernel
def accept_all(sims, m, asked, count):
    """Everything asked for goes into the book."""
    for k in range(count):
        fill_model.accept(sims, m, asked, k)


@stage
def settle(markets, m, account, params, sims, news, log, n):
    """Book the fills of one phase and accept what they ask for; the new number of fills.

    Args:
        news: (what was found, how many, room for what they ask for).
        log: (fills, the market of each).
    """
    found, count, asked = news
    fills, fill_market = log
    for k in range(count):
        if found[k].quantity_lots > 0:
            fills[n] = found[k]
            fill_market[n] = m
            n += 1
        wanted = pipeline.on_fill(markets, m, account, params, found, k, asked)
        accept_all(sims, m, asked, wanted)
    return n
