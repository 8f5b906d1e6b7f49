"""HTTP and WebSocket routes."""

from django.urls import path

from trading import (
    account_views,
    backtest_views,
    bot_views,
    consumers,
    decision_views,
    history_views,
    standing_views,
    views,
)

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("engines/<uuid:engine_id>/", views.dashboard, name="engine"),
    path("engines/<uuid:engine_id>/chart/<int:market>/", views.chart, name="chart"),
    path("engines/<uuid:engine_id>/commands/<slug:name>/", views.command, name="command"),
    path("status/", standing_views.standing, name="standing"),
    path("decisions/", decision_views.decisions, name="decisions"),
    path("decisions/<int:decision_id>/", decision_views.decision, name="decision"),
    path("decisions/<int:decision_id>/chart/", decision_views.chart, name="decision_chart"),
    path("bots/", bot_views.bots, name="bots"),
    path("bots/<uuid:bot_id>/", bot_views.bot, name="bot"),
    path("bots/<uuid:bot_id>/edit/", bot_views.edit, name="edit_bot"),
    path("bots/<uuid:bot_id>/revert/<int:number>/", bot_views.revert, name="revert_bot"),
    path("bots/<uuid:bot_id>/put-in-force/", bot_views.put_in_force, name="put_in_force"),
    path("bots/<uuid:bot_id>/withdraw/", bot_views.withdraw, name="withdraw_revision"),
    path("history/", history_views.history, name="history"),
    path("history/<slug:what>/", history_views.history, name="history_of"),
    path("history/<slug:what>.csv", history_views.history_file, name="history_file"),
    path("audit/", history_views.audit, name="audit"),
    path("audit.csv", history_views.audit_file, name="audit_file"),
    path("backtests/", backtest_views.runs, name="runs"),
    path("backtests/new/", backtest_views.new_run, name="new_run"),
    path("backtests/compare/", backtest_views.compare, name="compare_runs"),
    path("backtests/<int:number>/", backtest_views.run, name="run"),
    path("backtests/<int:number>/progress/", backtest_views.progress, name="run_progress"),
    path("backtests/<int:number>/result.json", backtest_views.download, name="run_result"),
    path("backtests/<int:number>/report.html", backtest_views.report, name="run_report"),
    path("backtests/<int:number>/cancel/", backtest_views.cancel, name="cancel_run"),
    path("backtests/<int:number>/archive/", backtest_views.archive, name="archive_run"),
    path("exchange-accounts/", account_views.accounts, name="accounts"),
    path("exchange-accounts/<uuid:account_id>/key/", account_views.key, name="account_key"),
    path("exchange-accounts/<uuid:account_id>/mode/", account_views.mode, name="account_mode"),
    path("exchange-accounts/<uuid:account_id>/check/", account_views.check, name="check_key"),
    path("exchange-accounts/<uuid:account_id>/disable/", account_views.disable, name="disable_key"),
]
websocket_urlpatterns = [path("ws/live", consumers.LiveConsumer.as_asgi())]
