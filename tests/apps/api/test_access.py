"""Every route and method of the API, for every kind of caller; what nobody listed fails."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tenants import operations
from tenants.models import AuditEntry, ExchangeAccount, Membership
from tenants.roles import Role
from tenants.scoping import tenant_scope
from tenants.standing import Effect
from tests.apps.api.conftest import ASKED, issue, post, program, role_of
from tests.apps.step_up import step_up
from tests.apps.tenants.notices import keep_hook, tell_one
from tests.apps.trading import rows
from tests.factories import NOW, make_instrument, make_user
from tests.vault.conftest import KEY, OTHER_KEY, OTHER_SECRET, SECRET, Kept
from trading.api.urls import urlpatterns
from trading.models import BacktestRun, Bot, Engine, EngineCommand

CALLERS = ("anonymous", "wrong-key", "max", "vera", "tom", "olga", "max-admin", "vera-admin",
           "tom-read", "tom-trade", "olga-read", "olga-admin")  # fmt: skip
OPEN, VIEW, TRADE, MANAGE, STEPPED_UP = "open", "view", "trade", "manage", "manage, stepped up"
PERSON = "an owner's session, stepped up; no key"
ROUTES: dict[str, dict[str, str]] = {
    "api_health": {"get": OPEN},
    "api_schema": {"get": OPEN},
    "api_docs": {"get": OPEN},
    "api_status": {"get": VIEW},
    "api_heartbeat": {"get": VIEW},
    "api_series": {"get": VIEW},
    "api_profiles": {"get": VIEW},
    "api_parameters": {"get": VIEW},
    "api_runs": {"get": VIEW},
    "api_run": {"get": VIEW},
    "api_result": {"get": VIEW},
    "api_trials": {"get": VIEW},
    "api_report": {"get": VIEW},
    "api_command": {"get": VIEW},
    "api_pnl": {"get": VIEW},
    "api_ledger_file": {"get": VIEW},
    "api_trades_file": {"get": VIEW},
    "api_decisions": {"get": VIEW},
    "api_decision": {"get": VIEW},
    "api_decision_bars": {"get": VIEW},
    "api_thoughts": {"get": VIEW},
    "api_orders": {"get": VIEW},
    "api_fills": {"get": VIEW},
    "api_positions": {"get": VIEW},
    "api_trades": {"get": VIEW},
    "api_bot": {"get": VIEW},
    "api_revert": {"post": TRADE},
    "api_revisions": {"get": VIEW, "post": TRADE},
    "api_revision": {"get": VIEW},
    "api_put_in_force": {"post": PERSON},
    "api_withdraw": {"post": TRADE},
    "api_chart": {"get": VIEW},
    "api_performance": {"get": VIEW},
    "api_risk": {"get": VIEW},
    "api_alerts": {"get": VIEW},
    "api_try_channels": {"post": MANAGE},
    "api_notifications": {"get": VIEW},
    "api_read_all": {"post": TRADE},
    "api_notification_settings": {"get": VIEW, "patch": TRADE},
    "api_notification": {"get": VIEW, "patch": TRADE},
    "api_acknowledge": {"post": TRADE},
    "api_storage": {"get": VIEW},
    "api_members": {"get": VIEW},
    "api_member": {"patch": MANAGE, "delete": MANAGE},
    "api_invitations": {"get": MANAGE, "post": MANAGE},
    "api_renew_invitation": {"post": MANAGE},
    "api_invitation": {"delete": MANAGE},
    "api_keys": {"get": MANAGE, "post": MANAGE},
    "api_key": {"delete": MANAGE},
    "api_webhooks": {"get": MANAGE, "post": MANAGE},
    "api_rotate_webhook": {"post": MANAGE},
    "api_disable_webhook": {"post": MANAGE},
    "api_enable_webhook": {"post": MANAGE},
    "api_try_webhook": {"post": MANAGE},
    "api_deliveries": {"get": MANAGE},
    "api_webhook": {"get": MANAGE, "delete": MANAGE},
    "api_scanner": {"get": VIEW},
    "api_regime": {"get": VIEW},
    "api_strategies": {"get": VIEW},
    "api_by_strategy": {"get": VIEW},
    "api_attribution": {"get": VIEW},
    "api_execution": {"get": VIEW},
    "api_events": {"get": VIEW},
    "api_anomalies": {"get": VIEW},
    "api_exchanges": {"get": VIEW},
    "api_tenant": {"get": MANAGE},
    "api_settings": {"get": VIEW, "patch": MANAGE},
    "api_favorites": {"get": VIEW, "post": TRADE, "delete": TRADE},
    "api_paper_reset": {"post": TRADE},
    "api_audit": {"get": MANAGE},
    "api_backtest": {"post": TRADE},
    "api_optimize": {"post": TRADE},
    "api_walk_forward": {"post": TRADE},
    "api_lookahead": {"post": TRADE},
    "api_cancel": {"post": TRADE},
    "api_archive": {"post": TRADE},
    "api_pause": {"post": TRADE},
    "api_resume": {"post": TRADE},
    "api_close_all": {"post": TRADE},
    "api_kill": {"post": MANAGE},
    "api_revive": {"post": MANAGE},
    "api_start": {"post": TRADE},
    "api_stop": {"post": TRADE},
    "api_bots": {"get": VIEW, "post": TRADE},
    "api_accounts": {"get": VIEW, "post": MANAGE},
    "api_account": {"get": VIEW, "patch": MANAGE},
    "api_key_check": {"post": MANAGE},
    "api_account_key": {"post": STEPPED_UP, "delete": MANAGE},
    "api_account_mode": {"get": VIEW, "put": STEPPED_UP},
    "api_account_protection": {"put": MANAGE},
    "api_account_tier": {"put": MANAGE},
    "api_disable_account": {"post": MANAGE},
    "api_enable_account": {"post": MANAGE},
}
HARMLESS, CHANGE, ENTER = Effect.HARMLESS, Effect.CHANGE, Effect.OPEN
EFFECTS: dict[Effect, set[tuple[str, str]]] = {  # what is not listed only reads
    HARMLESS: {
        ("api_pause", "post"),
        ("api_close_all", "post"),
        ("api_kill", "post"),
        ("api_start", "post"),  # exits and stops need a running engine
        ("api_stop", "post"),
        ("api_cancel", "post"),
        ("api_disable_account", "post"),
        ("api_account_key", "post"),  # without a good key nothing can be closed
        ("api_account_key", "delete"),
        ("api_key_check", "post"),
        ("api_account_protection", "put"),
        ("api_notification", "patch"),
        ("api_notification_settings", "patch"),
        ("api_read_all", "post"),
        ("api_acknowledge", "post"),
        ("api_member", "patch"),
        ("api_member", "delete"),
        ("api_invitation", "delete"),
        ("api_key", "delete"),
        ("api_webhook", "delete"),
        ("api_withdraw", "post"),
        ("api_rotate_webhook", "post"),  # a secret that leaked
        ("api_disable_webhook", "post"),
        ("api_account_mode", "put"),  # to paper; to live: ENTER, see below
    },
    CHANGE: {
        ("api_revisions", "post"),  # tightens; a loosening waits, and cannot be put in force
        ("api_revert", "post"),  # likewise
        ("api_settings", "patch"),
        ("api_favorites", "post"),
        ("api_favorites", "delete"),
        ("api_paper_reset", "post"),
        ("api_backtest", "post"),
        ("api_optimize", "post"),
        ("api_walk_forward", "post"),
        ("api_lookahead", "post"),
        ("api_archive", "post"),
        ("api_account", "patch"),
        ("api_account_tier", "put"),
        ("api_try_channels", "post"),
        ("api_invitations", "post"),
        ("api_renew_invitation", "post"),
        ("api_keys", "post"),
        ("api_webhooks", "post"),
        ("api_enable_webhook", "post"),
        ("api_try_webhook", "post"),
    },
    ENTER: {
        ("api_put_in_force", "post"),
        ("api_resume", "post"),
        ("api_revive", "post"),
        ("api_bots", "post"),
        ("api_accounts", "post"),
        ("api_enable_account", "post"),
    },
}
REFUSED = {"WINDING_DOWN": {ENTER}, "SUSPENDED": {CHANGE, ENTER}}
MAY = {
    VIEW: {"max", "vera", "tom", "olga", "max-admin", "vera-admin", "tom-read", "tom-trade",
           "olga-read", "olga-admin"},
    TRADE: {"max", "tom", "olga", "max-admin", "tom-trade", "olga-admin"},
    MANAGE: {"max", "olga", "max-admin", "olga-admin"},
    STEPPED_UP: {"max-admin", "olga-admin"},  # a session alone is not enough
    PERSON: set(),
}  # fmt: skip
OWN_THINGS = {"api_run", "api_result", "api_trials", "api_report", "api_command", "api_cancel",
              "api_archive", "api_account", "api_key_check", "api_account_key", "api_account_mode",
              "api_account_protection", "api_account_tier",
              "api_disable_account", "api_enable_account",
              "api_notification", "api_acknowledge", "api_tenant",
              "api_member", "api_invitation", "api_renew_invitation", "api_key",
              "api_webhook", "api_rotate_webhook", "api_disable_webhook", "api_enable_webhook",
              "api_try_webhook", "api_deliveries",
              "api_decision", "api_decision_bars", "api_bot", "api_revisions", "api_revision", "api_revert", "api_withdraw", "api_chart"}  # fmt: skip
Things = dict[str, Any]  # what stands in an address, by its mark
BODIES: dict[str, Any] = {
    "api_backtest": ASKED,
    "api_lookahead": ASKED,
    "api_optimize": {**ASKED, "space": ["exits.stop_scale=1,2"]},
    "api_walk_forward": {
        **ASKED,
        "space": ["exits.stop_scale=1,2"],
        "train_days": 2,
        "test_days": 1,
    },
    "api_account_key": {"key": OTHER_KEY, "secret": OTHER_SECRET},
    "api_account_mode": {"mode": "LIVE"},
    "api_account_tier": {"tier": "PRO"},
    "api_account_protection": {"protection": "SWITCH"},
    "api_accounts": {"exchange": "synthetic", "label": "Another"},
    "api_account": {"label": "Renamed"},
    "api_revisions": {"params": {"risk.max_open_positions": 3}},
    "api_notification": {"read": True},
    "api_notification_settings": {"time_zone": "Europe/Berlin"},
    "api_settings": {"paper_cash": "500"},
    "api_favorites": {"pair": "BTC/USD"},
    "api_member": {"role": "TRADER"},
    "api_invitations": {"email": "new@example.org", "role": "VIEWER"},
    "api_keys": {"label": "Another"},
    "api_webhooks": {"url": "https://nobody.invalid/"},
}
UNPUBLISHED = {"api_schema", "api_docs"}  # they are the schema
QUERIES = {
    ("api_chart", "get"): "?engine=<engine>",
    ("api_favorites", "delete"): "?pair=BTC/USD",
}


def test_every_route_is_on_the_list() -> None:
    assert {pattern.name for pattern in urlpatterns} == ROUTES.keys()


def test_the_schema_publishes_every_route_and_method_and_no_other(db) -> None:
    published = Client().get("/api/v1/schema?format=json").json()["paths"]

    told = {(path, method) for path, methods in published.items() for method in methods}
    assert told == {
        (published_path(name), method)
        for name, methods in ROUTES.items()
        for method in methods
        if name not in UNPUBLISHED
    } | {("/ws/live", "get")}


def published_path(name: str) -> str:
    """A route's address as the schema has it."""
    route = next(str(p.pattern) for p in urlpatterns if p.name == name)
    return "/api/v1/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route)


def address(name: str, things: Things, method: str = "") -> str:
    route = next(str(p.pattern) for p in urlpatterns if p.name == name)
    route += QUERIES.get((name, method), "")
    for mark, thing in things.items():
        route = route.replace(mark, str(thing))
    assert "<" not in route, route
    return "/" + route


@pytest.fixture
def told(people) -> dict[str, uuid.UUID]:
    """A notification in the inbox of each member of Acme."""
    tenant_id = people.engine.tenant_id
    return {
        name: tell_one(tenant_id, user=getattr(people, name)).id for name in ("olga", "tom", "vera")
    }


@pytest.fixture
def things(people, as_caller, told) -> Things:
    """A run of Acme, of a number no run of Max's has, and one thing of each other kind."""
    tom = as_caller("tom")
    *_, number = (post(tom, "/backtest/run", ASKED).json()["run"] for _ in range(9))
    with tenant_scope(people.engine.tenant_id):
        ExchangeAccount.objects.filter(id=people.engine.account_id).update(venue="simulator")
    make_instrument("simulator")  # of which a bot may be made
    Kept(people.engine.tenant_id, people.engine.account_id).seal()
    with tenant_scope(people.engine.tenant_id):
        bot = Bot.objects.get()
    return {
        "<int:number>": number,
        "<uuid:command_id>": post(tom, "/control/pause").json()["command"],
        "<uuid:account_id>": people.engine.account_id,
        "<uuid:bot_id>": bot.id,
        "<int:revision>": 1,
        "<int:decision_id>": rows.write_decision(people.engine).id,
        "<slug:what>": "fills",
        "<uuid:tenant_id>": people.engine.tenant_id,
        "<engine>": people.engine.engine_id,
        "<uuid:notification_id>": told["olga"],
        "<uuid:webhook_id>": keep_hook(people.engine.tenant_id, "https://nobody.invalid/")[0].id,
        **_people_of_acme(people),
    }


def _people_of_acme(people: Any) -> Things:
    """A member whom nobody of the callers is, an open invitation and a key of Acme's."""
    acme = people.engine.tenant_id
    with tenant_scope(acme):
        member = Membership.objects.create(
            tenant_id=acme, user=make_user("una@acme.example"), role="VIEWER", created_at=NOW
        )
        row, _ = operations.invite_person(
            tenant_id=acme, email="ian@example.org", role=Role.VIEWER, actor=people.olga,
            lasts=timedelta(days=7), now=timezone.now(),
        )  # fmt: skip
    return {
        "<int:member_id>": member.id,
        "<uuid:invitation_id>": row.id,
        "<uuid:key_id>": issue(people, "olga", "read")[0].id,
    }


def body_of(answer: Any) -> bytes:
    return answer.getvalue() if answer.streaming else answer.content


def fitting(name: str, things: Things) -> dict[str, Any]:
    """A body that the route takes."""
    account = str(things["<uuid:account_id>"])
    if name == "api_bots":
        return {"account": account, "name": "Knocker", "pairs": ["BTC/USD"]}
    if name == "api_paper_reset":
        return {"account": account}
    return dict(BODIES.get(name, {}))


def knock(client: Client, name: str, method: str, things: Things) -> Any:
    path = address(name, things, "get" if method == "head" else method)
    if method in ("get", "head"):
        return getattr(client, method)(f"/api/v1{path}")
    body = {} if method == "delete" else fitting(name, things)
    return getattr(client, method)(
        f"/api/v1{path}", body, content_type="application/json", headers={"If-Match": "*"}
    )


@pytest.mark.parametrize("who", CALLERS)
def test_a_door_opens_for_whom_it_should(
    people, as_caller, things, told, boundless, who: str
) -> None:
    client = as_caller(who)
    things["<uuid:notification_id>"] = told.get(who.split("-")[0], told["olga"])
    for name, methods in ROUTES.items():
        for method in ("get", "head", "post", "put", "patch", "delete"):
            answer = knock(client, name, method, things)
            needs = methods.get("get" if method == "head" else method)

            heard = (who, name, method, answer.status_code, body_of(answer)[:200])
            assert answer.status_code in expected(name, needs, who), heard
            if answer.status_code >= 400 and answer.status_code != 503 and name != "api_docs":
                assert answer["Content-Type"] == "application/problem+json", heard
                if method != "head":
                    assert answer.json()["status"] == answer.status_code, heard


def expected(name: str, needs: str | None, who: str) -> set[int]:
    if needs is None:  # no such method; who may not enter at all is told so first
        return {405} if name in ("api_health", "api_schema", "api_docs") else {401, 403, 405}
    if needs == OPEN:
        return {200}
    if who in ("anonymous", "wrong-key"):
        return {401}
    if who not in MAY[needs]:
        return {403}
    if who.startswith("max"):  # of another workspace: Acme's things are not there
        if name in ("api_bots", "api_paper_reset") and needs == TRADE:
            return {404}
        return {404} if name in OWN_THINGS else {200, 201, 202, 409}
    return {200, 201, 202, 409, 503}


def effect_of(name: str, method: str) -> Effect:
    return next((one for one, acts in EFFECTS.items() if (name, method) in acts), HARMLESS)


def test_every_act_is_listed_with_what_it_does_to_the_risk() -> None:
    acts = {(name, m) for name, methods in ROUTES.items() for m in methods if m != "get"}
    listed = [act for some in EFFECTS.values() for act in some]

    assert len(listed) == len(set(listed))
    assert set(listed) == acts
    for pattern in urlpatterns:
        for method in set(ROUTES[str(pattern.name)]) - {"get"}:
            view: Any = pattern.callback
            told = view.effects.get(method.upper(), CHANGE)
            assert told == effect_of(str(pattern.name), method), (pattern.name, method)


@pytest.mark.parametrize("status", REFUSED)
@pytest.mark.parametrize("who", ["vera", "tom", "olga", "tom-trade", "olga-read", "olga-admin"])
def test_a_workspace_that_is_not_active_reads_and_ends_and_opens_nothing(
    people, as_caller, things, told, boundless, who: str, status: str
) -> None:
    client = as_caller(who)
    things["<uuid:notification_id>"] = told[who.split("-")[0]]
    stand(people, status)
    for name, methods in ROUTES.items():
        for method, needs in methods.items():
            answer = knock(client, name, method, things)

            heard = (who, name, method, answer.status_code, body_of(answer)[:300])
            if name == "api_account_mode" and method == "put" and who in MAY[STEPPED_UP]:
                assert answer.status_code == 403, heard  # to live
                assert "a test of ours" in answer.json()["detail"], heard
            elif (
                who in MAY.get(MANAGE if needs == PERSON else needs, ())
                and effect_of(name, method) in REFUSED[status]
            ):
                assert answer.status_code == 403, heard
                assert "a test of ours" in answer.json()["detail"], heard
                assert answer["Content-Type"] == "application/problem+json", heard
            else:
                assert answer.status_code in expected(name, needs, who), heard
                assert b"a test of ours" not in body_of(answer) or answer.status_code == 200, heard


def test_a_suspended_workspace_goes_back_to_paper(people, as_caller, things) -> None:
    with tenant_scope(people.engine.tenant_id):
        Engine.objects.update(desired="STOPPED")
        ExchangeAccount.objects.update(mode="LIVE")
    stand(people, "SUSPENDED")

    answer = as_caller("olga-admin").put(
        f"/api/v1{address('api_account_mode', things)}",
        {"mode": "PAPER"},
        content_type="application/json",
    )

    assert (answer.status_code, answer.json()["mode"]) == (200, "PAPER")


def stand(people: Any, status: str) -> None:
    from tests.factories import NOW

    with tenant_scope(people.engine.tenant_id):
        operations.change_standing(
            tenant_id=people.engine.tenant_id,
            status=status,
            reason="a test of ours",
            actor=None,
            now=NOW,
        )


def test_max_changed_nothing_by_knocking(people, as_caller, things, boundless) -> None:
    client = as_caller("max-admin")
    for name, methods in ROUTES.items():
        for method in methods:
            knock(client, name, method, things)
    post(client, "/control/close_all", {"engine": str(people.engine.engine_id)})

    with tenant_scope(people.engine.tenant_id):
        assert EngineCommand.objects.count() == 1
        assert {run.status for run in BacktestRun.objects.all()} == {"QUEUED"}


def test_a_person_who_gave_their_second_factor_may_keep_a_key(people, as_caller, things) -> None:
    client = step_up(as_caller("olga"), people.olga)
    path = address("api_account_key", things)

    answer = post(client, path, BODIES["api_account_key"])

    assert (answer.status_code, answer.json()["key"]["version"]) == (202, 2)
    assert answer.json()["key"]["ends"] == OTHER_KEY[-4:]


def test_the_api_tells_nothing_of_a_key_but_its_end(people, as_caller, things, boundless) -> None:
    client, told = as_caller("olga-admin"), b""
    for name, methods in ROUTES.items():
        for method in methods:
            told += body_of(knock(client, name, method, things))

    assert KEY[-4:].encode() in told
    for planted in (KEY, SECRET, OTHER_KEY, OTHER_SECRET):
        assert planted.encode() not in told


def test_an_account_is_switched_while_its_engine_stands_still_and_only_then(
    people, as_caller, things
) -> None:
    client, path = as_caller("olga-admin"), f"/api/v1{address('api_account_mode', things)}"

    def put(body: Any) -> Any:
        return client.put(path, body, content_type="application/json")

    refused = put({"mode": "LIVE"})
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "Paper (Venue simulator): stop its engine first",
    )
    with tenant_scope(people.engine.tenant_id):
        Engine.objects.update(desired="STOPPED")

    assert put({"mode": "LIVE"}).json()["mode"] == "LIVE"
    assert put({"mode": "PAPER"}).json()["mode"] == "PAPER"
    assert put({"mode": "DREAM"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"key": OTHER_KEY}, "secret", "required"),
        ({"key": "short", "secret": OTHER_SECRET}, "key", "8 to 600"),
        ({"key": OTHER_KEY, "secret": "???"}, "secret", "base64 text"),
        ({"key": OTHER_KEY, "secrte": "???"}, "secrte", "secret"),
    ],
)
def test_a_wrong_key_is_refused_by_its_field(
    people, as_caller, things, body: Any, field: str, words: str
) -> None:
    answer = post(as_caller("olga-admin"), address("api_account_key", things), body)

    assert answer.status_code == 400
    told = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert words in told[field]
    assert "???" not in answer.content.decode()


def test_max_sees_no_word_of_acme(people, as_caller, things) -> None:
    rows.write_position(people.engine)
    rows.write_hold(people.engine)
    told = as_caller("max-admin").get("/api/v1/status").json()

    assert told["engines"] == []


def test_a_browser_needs_its_token(people) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.tom)

    answer = post(client, "/control/pause")

    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


def test_a_wrong_key_never_falls_back_to_the_session(people, as_caller) -> None:
    client = as_caller("olga")

    answer = client.get("/api/v1/status", headers={"X-API-Key": "np_wrong"})

    assert answer.status_code == 401
    assert "ApiKey" in answer["WWW-Authenticate"]


def test_a_key_ends_with_its_revocation_expiry_and_makers_membership(people) -> None:
    from tests.factories import NOW

    revoked, secret = issue(people, "olga", "read")
    with tenant_scope(people.engine.tenant_id):
        operations.revoke_key(key_id=revoked.id, actor=people.olga, now=NOW)
    expired = issue(people, "olga", "read", days=1)[1]  # issued long ago
    left = issue(people, "tom", "trade")[1]
    assert program(left).get("/api/v1/status").status_code == 200
    membership = role_of(people, "tom")
    with tenant_scope(people.engine.tenant_id):
        operations.remove_member(membership=membership, actor=people.olga, now=NOW)

    for one in (secret, expired, left):
        assert program(one).get("/api/v1/status").status_code == 401


def test_a_key_reaches_no_further_than_its_maker(people) -> None:
    from tenants.roles import Role
    from tests.factories import NOW

    client = program(issue(people, "tom", "admin")[1])
    assert post(client, "/control/pause").status_code == 202
    membership = role_of(people, "tom")
    with tenant_scope(people.engine.tenant_id):
        operations.change_role(membership=membership, role=Role.VIEWER, actor=people.olga, now=NOW)

    assert post(client, "/control/pause").status_code == 403


def test_what_a_key_did_stands_in_the_audit_log(people, as_caller) -> None:
    post(as_caller("tom-trade"), "/control/pause", {"reason": "lunch"})

    with tenant_scope(people.engine.tenant_id):
        entry = AuditEntry.objects.get(action="engine.pause")
        assert (entry.actor, entry.after["reason"]) == (people.tom, "lunch")


def test_answers_are_never_stored_by_caches(people, as_caller) -> None:
    assert "no-store" in as_caller("vera").get("/api/v1/status")["Cache-Control"]


def test_a_person_without_a_workspace_is_told_so(db) -> None:
    from tests.factories import make_user

    client = Client()
    client.force_login(make_user(f"{uuid.uuid4().hex}@example.com"))

    answer = client.get("/api/v1/status")

    assert (answer.status_code, "/welcome/" in answer.json()["detail"]) == (403, True)
