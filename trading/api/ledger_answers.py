"""What the API answers of the ledger: acts, chains, profit and loss."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tenants.models import AuditEntry
from trading.api.answers import Answer, Moment
from trading.queries.spreadsheet import exact


class Act(Answer):
    """One entry of the audit log."""

    sequence = serializers.IntegerField()
    at = Moment()
    actor = serializers.CharField(source="actor_label")
    action = serializers.CharField()
    subject = serializers.CharField()
    before = serializers.DictField()
    after = serializers.DictField()
    hash = serializers.SerializerMethodField(help_text="SHA-256 of the entry and the one before")

    def get_hash(self, entry: AuditEntry) -> str:
        """In hex."""
        return bytes(entry.hash).hex()


class ChainCheck(Answer):
    """The newest walk over one hash chain."""

    kind = serializers.ChoiceField(choices=["AUDIT", "DECISIONS"])
    chain = serializers.UUIDField(help_text="the workspace, or the engine")
    entries = serializers.IntegerField(help_text="how many hold, from the first")
    broken_at = serializers.IntegerField(allow_null=True)
    damage = serializers.CharField(allow_blank=True)
    words = serializers.CharField(allow_blank=True)
    checked_at = Moment()
    checked_by = serializers.CharField()


class Acts(Answer):
    """One page of the audit log, newest first, and how far its chains were verified."""

    items = Act(many=True)
    next = serializers.CharField(allow_null=True, help_text="cursor of the next page")
    chains = ChainCheck(many=True)


@extend_schema_field({"type": "string"})
class Money(serializers.Field[Any, Any, Any, Any]):
    """A decimal as text, exact; a float by its shortest decimals."""

    def to_representation(self, value: Any) -> str:
        return exact(Decimal(repr(value)) if isinstance(value, float) else Decimal(value))


class Earned(Answer):
    """What one bot earned on one pair, fees included."""

    bot = serializers.CharField()
    pair = serializers.CharField(source="instrument")
    realized = Money()
    unrealized = Money(allow_null=True, help_text="null: a position is open without a price")
    total = Money(allow_null=True)
    fees = Money()
    dust = Money(help_text="what was written off as too little to be sold; part of realized")


class AccountEarned(Answer):
    """What one account earned in one currency."""

    account = serializers.CharField()
    currency = serializers.CharField()
    realized = Money()
    unrealized = Money(allow_null=True)
    total = Money(allow_null=True)
    fees = Money()
    dust = Money(help_text="what was written off as too little to be sold; part of realized")
    parts = Earned(many=True)


class ProfitAndLoss(Answer):
    """By account and currency; nothing is converted."""

    accounts = AccountEarned(many=True)
