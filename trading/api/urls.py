"""Routes of API v1."""

from django.urls import path

from trading.api import accounts, bots, catalogue, control, docs, ledger, runs, standing

ONE = "backtest/runs/<int:number>"
ACCOUNT = "accounts/<uuid:account_id>"
urlpatterns = [
    path("health", standing.Health.as_view(), name="api_health"),
    path("status", standing.Status.as_view(), name="api_status"),
    path("ops/heartbeat", standing.Heartbeat.as_view(), name="api_heartbeat"),
    path("series", catalogue.Series.as_view(), name="api_series"),
    path("profiles", catalogue.Profiles.as_view(), name="api_profiles"),
    path("parameters", catalogue.Parameters.as_view(), name="api_parameters"),
    path("backtest/runs", runs.Runs.as_view(), name="api_runs"),
    path("backtest/run", runs.Backtest.as_view(), name="api_backtest"),
    path("backtest/optimize", runs.Optimize.as_view(), name="api_optimize"),
    path("backtest/walk-forward", runs.WalkForward.as_view(), name="api_walk_forward"),
    path("backtest/lookahead", runs.Lookahead.as_view(), name="api_lookahead"),
    path(ONE, runs.Run.as_view(), name="api_run"),
    path(f"{ONE}/result", runs.Result.as_view(), name="api_result"),
    path(f"{ONE}/trials", runs.Trials.as_view(), name="api_trials"),
    path(f"{ONE}/report.html", runs.Report.as_view(), name="api_report"),
    path(f"{ONE}/cancel", runs.Cancel.as_view(), name="api_cancel"),
    path(f"{ONE}/archive", runs.Archive.as_view(), name="api_archive"),
    path("accounts", accounts.Accounts.as_view(), name="api_accounts"),
    path(ACCOUNT, accounts.Account.as_view(), name="api_account"),
    path(f"{ACCOUNT}/disable", accounts.Disable.as_view(), name="api_disable_account"),
    path(f"{ACCOUNT}/enable", accounts.Enable.as_view(), name="api_enable_account"),
    path(f"{ACCOUNT}/key", accounts.Key.as_view(), name="api_account_key"),
    path(f"{ACCOUNT}/key/check", accounts.Check.as_view(), name="api_key_check"),
    path(f"{ACCOUNT}/mode", accounts.AccountMode.as_view(), name="api_account_mode"),
    path("bots", bots.Bots.as_view(), name="api_bots"),
    path("control/start", control.Start.as_view(), name="api_start"),
    path("control/stop", control.Stop.as_view(), name="api_stop"),
    path("control/pause", control.Pause.as_view(), name="api_pause"),
    path("control/resume", control.Resume.as_view(), name="api_resume"),
    path("control/close_all", control.CloseAll.as_view(), name="api_close_all"),
    path("control/kill", control.Kill.as_view(), name="api_kill"),
    path("control/revive", control.Revive.as_view(), name="api_revive"),
    path("commands/<uuid:command_id>", control.Command.as_view(), name="api_command"),
    path("audit", ledger.Audit.as_view(), name="api_audit"),
    path("pnl", ledger.Earned.as_view(), name="api_pnl"),
    path("ledger/<slug:what>.csv", ledger.LedgerFile.as_view(), name="api_ledger_file"),
    path("schema", docs.Schema.as_view(), name="api_schema"),
    path("docs", docs.Docs.as_view(), name="api_docs"),
]
