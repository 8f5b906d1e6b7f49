"""Admin screens; journal and money rows are read-only."""

from typing import Any

from django.contrib import admin

from tenants.admin import ReadOnlyAdmin
from trading import models


@admin.register(models.Instrument)
class InstrumentAdmin(admin.ModelAdmin):
    """Instrument rows."""

    list_display = ("symbol", "venue", "tick_size", "lot_size", "min_quantity", "min_notional")
    list_filter = ("venue",)
    search_fields = ("symbol",)


@admin.register(models.BarSeries)
class BarSeriesAdmin(ReadOnlyAdmin):
    """BarSeries rows."""

    list_display = ("instrument", "timeframe_seconds", "bars", "missing", "first_at", "last_at")
    list_filter = ("instrument__venue", "timeframe_seconds")
    list_select_related = ("instrument",)
    search_fields = ("instrument__symbol",)


@admin.register(models.Bot)
class BotAdmin(ReadOnlyAdmin):
    """Bot rows."""

    list_display = ("name", "tenant", "account", "stage", "created_at")
    list_filter = ("stage",)
    list_select_related = ("tenant", "account")
    search_fields = ("name", "tenant__slug")


@admin.register(models.BotRevision)
class BotRevisionAdmin(ReadOnlyAdmin):
    """BotRevision rows."""

    list_display = ("bot", "tenant", "number", "timeframe_seconds", "params_hash", "created_at")
    list_select_related = ("bot", "tenant")
    search_fields = ("bot__name", "params_hash", "tenant__slug")


@admin.register(models.RevisionWait)
class RevisionWaitAdmin(ReadOnlyAdmin):
    """RevisionWait rows."""

    list_display = ("revision", "tenant", "due_at", "ended_at", "outcome")
    list_filter = ("outcome",)
    list_select_related = ("revision__bot", "tenant")
    search_fields = ("revision__bot__name", "tenant__slug")


@admin.register(models.BotInstrument)
class BotInstrumentAdmin(ReadOnlyAdmin):
    """BotInstrument rows."""

    list_display = ("bot", "instrument", "order", "tenant")
    list_select_related = ("bot", "instrument", "tenant")
    search_fields = ("bot__name", "instrument__symbol", "tenant__slug")


@admin.register(models.Engine)
class EngineAdmin(ReadOnlyAdmin):
    """Engine rows."""

    list_display = ("account", "tenant", "desired", "observed", "epoch", "host", "heartbeat_at")
    list_filter = ("desired", "observed")
    list_select_related = ("account", "tenant")
    search_fields = ("tenant__slug", "account__label")


@admin.register(models.EngineCommand)
class EngineCommandAdmin(ReadOnlyAdmin):
    """EngineCommand rows."""

    list_display = (
        "requested_at",
        "kind",
        "engine",
        "tenant",
        "requested_by",
        "finished_at",
        "outcome",
    )
    list_filter = ("kind",)
    list_select_related = ("engine__account", "tenant", "requested_by")
    search_fields = ("engine__account__label", "requested_by__email", "tenant__slug")


@admin.register(models.EngineSnapshot)
class EngineSnapshotAdmin(ReadOnlyAdmin):
    """EngineSnapshot rows."""

    list_display = ("engine", "tenant", "sequence", "core_hash", "saved_at")
    list_select_related = ("engine__account", "tenant")
    search_fields = ("engine__account__label", "tenant__slug")
    exclude = ("account", "venue", "portable")


@admin.register(models.MarketSnapshot)
class MarketSnapshotAdmin(ReadOnlyAdmin):
    """MarketSnapshot rows."""

    list_display = ("engine", "market", "tenant", "sequence", "number")
    list_select_related = ("engine__account", "tenant")
    search_fields = ("engine__account__label", "tenant__slug")
    exclude = ("record", "portable")


@admin.register(models.MarketChanges)
class MarketChangesAdmin(ReadOnlyAdmin):
    """MarketChanges rows."""

    list_display = ("engine", "number", "tenant")
    list_select_related = ("engine__account", "tenant")
    search_fields = ("engine__account__label", "tenant__slug")
    exclude = ("changes",)


@admin.register(models.Hold)
class HoldAdmin(ReadOnlyAdmin):
    """Hold rows."""

    list_display = ("kind", "engine", "tenant", "reason", "placed_at", "cleared_at")
    list_filter = ("kind",)
    list_select_related = ("engine__account", "tenant")
    search_fields = ("engine__account__label", "reason", "tenant__slug")


@admin.register(models.Alert)
class AlertAdmin(ReadOnlyAdmin):
    """Alert rows."""

    list_display = ("raised_at", "engine", "tenant", "cause", "words")
    list_filter = ("cause",)
    list_select_related = ("engine__account", "tenant")
    search_fields = ("engine__account__label", "words", "tenant__slug")


@admin.register(models.ForeignOrder)
class ForeignOrderAdmin(ReadOnlyAdmin):
    """ForeignOrder rows."""

    list_display = ("venue_order_id", "symbol", "side", "quantity", "engine", "tenant", "gone_at")
    list_select_related = ("engine__account", "tenant")
    search_fields = ("venue_order_id", "symbol", "tenant__slug")


@admin.register(models.Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """Decision rows."""

    list_display = ("bar_opened_at", "instrument", "tenant", "stage", "reason", "core_hash")
    list_filter = ("stage", "reason")
    list_select_related = ("instrument", "tenant")
    search_fields = ("instrument__symbol", "tenant__slug")
    exclude = ("record",)
    show_full_result_count = False


@admin.register(models.OrderIntent)
class OrderIntentAdmin(ReadOnlyAdmin):
    """OrderIntent rows."""

    list_display = ("planned_at", "purpose", "side", "quantity", "instrument", "state", "tenant")
    list_filter = ("state", "purpose", "side")
    list_select_related = ("instrument", "tenant")
    search_fields = ("client_order_id", "tenant__slug")


@admin.register(models.Order)
class OrderAdmin(ReadOnlyAdmin):
    """Order rows."""

    list_display = (
        "venue_order_id", "status", "filled_quantity", "sent_at", "acknowledged_at", "intent",
        "tenant",
    )  # fmt: skip
    list_filter = ("status",)
    list_select_related = ("intent", "tenant")
    search_fields = ("venue_order_id", "tenant__slug")


@admin.register(models.Fill)
class FillAdmin(ReadOnlyAdmin):
    """Fill rows."""

    list_display = ("filled_at", "side", "quantity", "price", "fee", "fee_currency", "tenant")
    list_filter = ("side", "liquidity")
    list_select_related = ("tenant",)
    search_fields = ("venue_trade_id", "tenant__slug")


@admin.register(models.Position)
class PositionAdmin(ReadOnlyAdmin):
    """Position rows."""

    list_display = (
        "opened_at", "instrument", "side", "quantity", "entry_price", "realized_pnl", "closed_at",
        "tenant",
    )  # fmt: skip
    list_filter = ("side", "exit_reason")
    list_select_related = ("instrument", "tenant")
    search_fields = ("instrument__symbol", "tenant__slug")


@admin.register(models.LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    """LedgerEntry rows."""

    list_display = ("booked_at", "account", "book", "currency", "amount", "tenant")
    list_filter = ("book", "currency")
    list_select_related = ("account", "tenant")
    search_fields = ("account__label", "tenant__slug")

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).order_by("-id")


@admin.register(models.BacktestRun)
class BacktestRunAdmin(ReadOnlyAdmin):
    """BacktestRun rows."""

    list_display = ("number", "tenant", "kind", "status", "trials", "created_at", "requested_by")
    list_filter = ("kind", "status")
    list_select_related = ("tenant", "requested_by")
    search_fields = ("tenant__slug", "params_hash", "result_hash")
    exclude = ("result", "charts")

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).defer("result", "charts", "facts")


@admin.register(models.BacktestTrial)
class BacktestTrialAdmin(ReadOnlyAdmin):
    """BacktestTrial rows."""

    list_display = ("run", "window", "sample", "index", "tenant")
    list_filter = ("sample",)
    list_select_related = ("run", "tenant")
    search_fields = ("run__params_hash", "tenant__slug")
    exclude = ("daily",)
    show_full_result_count = False


@admin.register(models.SettingsVersion)
class SettingsVersionAdmin(ReadOnlyAdmin):
    """SettingsVersion rows."""

    list_display = ("created_at", "tenant", "number", "author")
    list_select_related = ("tenant", "author")
    search_fields = ("tenant__slug", "author__email")


@admin.register(models.Favorite)
class FavoriteAdmin(ReadOnlyAdmin):
    """Favorite rows."""

    list_display = ("user", "pair", "tenant", "created_at")
    list_select_related = ("user", "tenant")
    search_fields = ("pair", "tenant__slug", "user__email")


@admin.register(models.LedgerProof)
class LedgerProofAdmin(ReadOnlyAdmin):
    """LedgerProof rows."""

    list_display = ("proved_at", "engine", "tenant", "fills", "differing", "problem")
    list_select_related = ("engine__account", "tenant")
    search_fields = ("engine__account__label", "problem", "tenant__slug")
