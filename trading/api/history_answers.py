"""What the API answers of orders, fills, positions and trades; the columns are those of the files."""

from rest_framework import serializers

from trading.api.answers import Answer, Moment
from trading.api.ledger_answers import Money

Text = serializers.CharField


class Listed(Answer):
    """Whose it is, and what the entry's decision said."""

    account_id = serializers.UUIDField()
    account = Text(help_text="its label")
    bot_id = serializers.UUIDField()
    bot = Text(help_text="its name")
    pair = Text()
    side = Text()
    strategy = Text(allow_null=True, help_text="the strongest vote for the entry")
    regime = Text(allow_null=True)
    score = serializers.FloatField(allow_null=True)


class Order(Listed):
    """What was meant, and what the venue made of it; an intent may need several orders."""

    planned_at = Moment()
    purpose = Text()
    quantity = Money()
    limit_price = Money(allow_null=True)
    stop_price = Money(allow_null=True)
    state = serializers.ChoiceField(
        choices=["PLANNED", "WORKING", "UNKNOWN", "DONE", "REFUSED", "EXPIRED"]
    )
    state_reason = Text(allow_blank=True)
    exit_reason = Text(allow_blank=True)
    client_order_id = serializers.UUIDField()
    venue_order_id = Text(allow_null=True, help_text="null: the venue made no order")
    venue_status = Text(allow_null=True)
    filled_quantity = Money(allow_null=True)


class Fill(Listed):
    """One execution at the venue."""

    filled_at = Moment()
    purpose = Text()
    quantity = Money()
    price = Money()
    fee = Money()
    fee_currency = Text()
    liquidity = Text()
    exit_reason = Text(allow_blank=True)
    venue_trade_id = Text()
    venue_order_id = Text()
    client_order_id = serializers.UUIDField()


class Position(Listed):
    """A holding from its first fill until it was flat."""

    position = serializers.UUIDField(source="key")
    opened_at = Moment()
    closed_at = Moment(allow_null=True, help_text="null: it is open")
    quantity = Money(help_text="held now; 0 once it is closed")
    entry_price = Money()
    stop_price = Money(allow_null=True)
    exit_price = Money(allow_null=True)
    exit_reason = Text(allow_blank=True)
    fees = Money()
    realized_pnl = Money(help_text="net of fees, and of the cost of dust")
    dust_quantity = Money(help_text="left unsold, and written off")
    dust_cost = Money()


class Trade(Listed):
    """A round trip."""

    position = serializers.UUIDField(source="key")
    opened_at = Moment()
    closed_at = Moment()
    quantity = Money(allow_null=True, help_text="bought, or sold short; null: not on record")
    entry_price = Money()
    last_exit_price = Money(allow_null=True)
    exit_reason = Text(allow_blank=True)
    fees = Money()
    net_pnl = Money(help_text="of fees, and of the cost of dust")
    currency = Text()
    dust_quantity = Money(help_text="less than the venue's least order: left unsold, written off")
    dust_cost = Money()
    note = Text(allow_blank=True, help_text="the same in words")


class Orders(Answer):
    """One page, newest first."""

    items = Order(many=True)
    next = Text(allow_null=True, help_text="cursor of the next page")


class Fills(Answer):
    """One page, newest first."""

    items = Fill(many=True)
    next = Text(allow_null=True, help_text="cursor of the next page")


class Positions(Answer):
    """One page, the newest opened first."""

    items = Position(many=True)
    next = Text(allow_null=True, help_text="cursor of the next page")


class Trades(Answer):
    """One page, the newest closed first."""

    items = Trade(many=True)
    next = Text(allow_null=True, help_text="cursor of the next page")
