"""The rules of sizing, exits and fills once more, slowly: one market, one account, plain Python."""

import math
from dataclasses import dataclass, field

import numpy as np

from tests.core.reference import Candidate, Facts, Vote, combine
from tests.core.samples import MINUTE_NS
from trading.core.config.pipeline import ExitParams, PipelineParams


@dataclass(slots=True)
class Holding:
    """An open position."""

    side: int
    lots: int
    entry: float
    entered_ns: int
    stop: int
    target: float
    risk: float
    best: float
    why: str = "STOP"
    paid: float = 0.0


@dataclass(slots=True)
class Account:
    """A market traded alone; ``trades`` are (time, side, lots, price in ticks, why)."""

    params: PipelineParams
    tick: float
    lot: float
    cash: float
    equity: float = 0.0
    peak: float = 0.0
    day: int = -1
    day_start: float = 0.0
    cooldown: int = 0
    holding: Holding | None = None
    wanted: Candidate | None = None
    lots: int = 0
    leaving: str = ""
    trades: list[tuple[int, int, int, int, str]] = field(default_factory=list)

    def trade(self, price: float, side: int, lots: int, time_ns: int, why: str) -> float:
        """Fill a taker order; the price it got."""
        costs = self.params.costs
        worse = (costs.half_spread_bps + costs.slippage_bps) / 10_000
        level = price * (1 + side * worse) / self.tick
        ticks = math.ceil(level - 1e-9) if side > 0 else math.floor(level + 1e-9)
        got = ticks * self.tick
        fee = round(got * lots * self.lot * costs.taker_fee_bps / 10_000, 8)
        self.cash -= side * got * lots * self.lot + fee
        if self.holding:
            self.holding.paid += fee
            gain = self.holding.side * (got - self.holding.entry) * lots * self.lot
            risk = self.params.risk
            lost = gain - self.holding.paid < 0
            self.cooldown = risk.cooldown_bars_after_loss if lost else risk.cooldown_bars
            self.holding = None
        elif why == "NONE":
            self.open_position(got, side, lots, time_ns, fee)
        self.trades.append((time_ns, side, lots, ticks, why))
        return got

    def open_position(self, price: float, side: int, lots: int, time_ns: int, fee: float) -> None:
        """The stop goes where the size was worked out for."""
        level = (price - side * self.wanted.stop) / self.tick
        stop = math.floor(level + 1e-9) if side > 0 else math.ceil(level - 1e-9)
        target = price + side * self.wanted.target
        risk = abs(price - stop * self.tick)
        self.holding = Holding(side, lots, price, time_ns, stop, target, risk, price, paid=fee)

    def play_bar(self, bar: np.void) -> None:
        """What trades within a bar: at its open, then within its range."""
        now, open_ = int(bar["open_ns"]), float(bar["open"])
        hold = self.holding
        if hold and not self.leaving and self.too_old(now):
            self.leaving = "TIME"
        if hold and self.leaving:
            self.trade(open_, -hold.side, hold.lots, now, self.leaving)
            self.leaving = ""
        elif self.wanted:
            self.trade(open_, self.wanted.side, self.lots, now, "NONE")
            self.wanted = None
        if not self.holding:
            return
        hold, trigger = self.holding, self.holding.stop * self.tick
        worst = float(bar["low"] if hold.side > 0 else bar["high"])
        if hold.side * (worst - trigger) <= 0:
            met = min(trigger, open_) if hold.side > 0 else max(trigger, open_)
            self.trade(met, -hold.side, hold.lots, now, hold.why)

    def too_old(self, now_ns: int) -> bool:
        """Whether the position has been held as long as it may."""
        most = self.params.exits.max_hold_bars
        return most > 0 and now_ns - self.holding.entered_ns >= most * MINUTE_NS

    def mark(self, bar: np.void) -> None:
        """Equity, its peak and the day's first value at a close."""
        held = self.holding.side * self.holding.lots if self.holding else 0
        self.equity = self.cash + held * self.lot * float(bar["close"])
        self.peak = max(self.peak, self.equity)
        if int(bar["open_ns"]) // (1440 * MINUTE_NS) != self.day:
            self.day, self.day_start = int(bar["open_ns"]) // (1440 * MINUTE_NS), self.equity

    def manage(self, bar: np.void) -> None:
        """Target, age, then the stop."""
        hold, p, close = self.holding, self.params.exits, float(bar["close"])
        extreme = float(bar["high"] if hold.side > 0 else bar["low"])
        hold.best = max(hold.best, extreme) if hold.side > 0 else min(hold.best, extreme)
        if hold.side * (close - hold.target) >= 0:
            self.leaving = "TARGET"
        elif self.too_old(int(bar["open_ns"]) + MINUTE_NS):
            self.leaving = "TIME"
        else:
            self.raise_stop(close, hold.side * (hold.best - hold.entry), p)

    def raise_stop(self, close: float, gain: float, p: ExitParams) -> None:
        """Break-even, then trailing; never looser, never beyond the market."""
        hold, cost = self.holding, self.round_trip()
        if hold.risk <= 0:
            return
        planned, away = [], math.floor if hold.side > 0 else math.ceil
        if gain >= p.break_even_at * hold.risk and gain > 2 * cost * hold.entry:
            planned.append((hold.entry * (1 + hold.side * cost), "BREAK_EVEN"))
        if gain >= p.trail_from * hold.risk:
            planned.append((hold.best - hold.side * p.trail_distance * hold.risk, "TRAILING_STOP"))
        stop, why = hold.stop, hold.why
        for level, name in planned:
            ticks = away(level / self.tick + hold.side * 1e-9)
            if hold.side * (ticks - stop) > 0:
                stop, why = ticks, name
        if hold.side * (close / self.tick - stop) > 0:
            hold.stop, hold.why = stop, why

    def round_trip(self) -> float:
        """Costs of going in and out, over the price."""
        costs = self.params.costs
        each = costs.taker_fee_bps + costs.half_spread_bps + costs.slippage_bps
        return 2 * each / 10_000

    def consider(self, found: Candidate | None, close: float, usual: float) -> None:
        """Ask for an entry when every gate says yes."""
        p, c, cost = self.params, self.params.confluence, self.round_trip()
        if found is None or found.score < c.min_score or found.confidence < c.min_confidence:
            return
        if found.agreeing < c.min_votes and found.confidence < c.solo_confidence:
            return
        fallen = 1 - self.equity / self.peak
        lost = 1 - self.equity / self.day_start
        if (found.side < 0 and not p.risk.allow_short) or self.cooldown > 0:
            return
        if fallen >= p.risk.max_drawdown or lost >= p.risk.max_daily_loss:
            return
        stop = max(found.stop * p.exits.stop_scale, p.risk.min_stop * close)
        stop = math.ceil(stop / self.tick - 1e-9) * self.tick
        target = found.target * p.exits.target_scale
        least = p.risk.min_reward_to_cost * cost * close
        if target < max(least, p.risk.min_reward_to_risk * stop) or stop > p.risk.max_stop * close:
            return
        risked = self.equity * p.sizing.risk_per_trade / (stop + cost * close) * close
        capped = min(p.sizing.max_position, p.sizing.max_exposure) * self.equity
        lots = math.floor(min(risked, capped, self.cash / (1 + cost)) / close / self.lot + 1e-9)
        if not math.isnan(usual):
            lots = min(lots, math.floor(p.sizing.max_volume_share * usual / self.lot + 1e-9))
        if lots >= 10 and lots * self.lot * close >= 5:
            self.lots = lots
            self.wanted = Candidate(
                found.side, found.score, found.confidence, found.agreeing, stop, target
            )


def simulate(
    bars: np.ndarray, params: PipelineParams, *, tick: float, lot: float, cash: float
) -> tuple[list[list[Vote]], list[Candidate | None], Account]:
    """Votes and candidate of every bar, and the account at the end."""
    facts, account = Facts(bars, params), Account(params, tick, lot, cash, peak=cash)
    votes, candidates = [], []
    for i in range(len(bars)):
        account.play_bar(bars[i])
        account.cooldown = max(account.cooldown - 1, 0)
        account.mark(bars[i])
        votes.append(facts.votes(i))
        trending = facts.adx[i] >= params.confluence.trend_adx
        known = i >= 27
        candidates.append(combine(votes[-1], params, trending=trending) if known else None)
        usual = float(np.mean(bars["volume"][i - 19 : i + 1])) if i >= 19 else math.nan
        if account.holding:
            account.manage(bars[i])
        else:
            account.consider(candidates[-1], float(bars[i]["close"]), usual)
    return votes, candidates, account
