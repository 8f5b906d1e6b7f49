"""What survives a change of the core is told anew whenever a byte of it has changed."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.fakes import ENGINE_ID, spec
from trading.core.config.pipeline import PipelineParams
from trading.engine.names import from_names
from trading.engine.state import CoreState, new_markets

FIELDS = ("entry_price", "quantity_lots", "stop_ticks")
CHANGE = st.tuples(
    st.integers(0, 2),
    st.sampled_from(FIELDS),
    st.one_of(st.integers(-1000, 1000), st.just(float("nan"))),
)


@settings(deadline=None, max_examples=60)
@given(changes=st.lists(CHANGE, max_size=12))
def test_it_is_what_the_records_say_now(changes: list[tuple[int, str, float]]) -> None:
    specs = [spec(index) for index in range(3)]
    core = CoreState(engine_id=ENGINE_ID, specs=specs, params=[PipelineParams()] * 3)

    for market, field, value in changes:
        is_number = core.markets.dtype["position"][field].kind == "f" or value == value
        core.markets[market]["position"][field] = value if is_number else 0
        core.markets[market]["intent_seq"] += 1
        core.markets["learning"]["factors"][market, 2, 1] = np.nan if market else 0.5
        core.markets["learning"]["strategies"]["won"][market, 3] += 1
        told = [json.loads(json.dumps(core.portable_market(m), allow_nan=False)) for m in range(3)]
        fresh = new_markets(specs)
        for record, saved in zip(fresh, told, strict=True):
            from_names(record["position"], saved["position"])
            from_names(record["learning"], saved["learning"])
        for part in ("position", "learning"):
            assert fresh[part].tobytes() == core.markets[part].tobytes()
