"""Who may open which door: every route of tenants, for every kind of person."""

from typing import Any

import pytest
from django.urls import URLPattern

from tenants import operations, urls
from tenants.scoping import tenant_scope
from tenants.standing import Effect
from tests.apps.tenants.notices import keep_hook, tell_one
from tests.factories import NOW

LOGIN, WELCOME, DONE = "/accounts/login/", "/welcome/", 302
INBOX, INVITED = "/notifications/", "/invitation/"

# route, method: what anonymous, a stranger's owner, somebody without workspace, viewer, trader,
# owner get. A word is where they are sent.
PERSONAS = ("anonymous", "max", "nina", "vera", "tom", "olga")
DOORS: dict[tuple[str, str], tuple[int | str, ...]] = {
    ("health", "get"): (200, 200, 200, 200, 200, 200),
    ("health", "post"): (405, 405, 405, 405, 405, 405),
    ("welcome", "get"): (LOGIN, 200, 200, 200, 200, 200),
    ("welcome", "post"): (LOGIN, 200, 200, 200, 200, 200),  # an empty name: the form again
    ("style_guide", "get"): (LOGIN, 200, WELCOME, 200, 200, 200),
    ("style_guide", "post"): (LOGIN, 405, WELCOME, 405, 405, 405),
    ("switch_workspace", "get"): (LOGIN, 405, WELCOME, 405, 405, 405),
    ("switch_workspace", "post"): (LOGIN, 404, WELCOME, "/", "/", "/"),
    ("team", "get"): (LOGIN, 200, WELCOME, 200, 200, 200),
    ("team", "post"): (LOGIN, 200, WELCOME, 403, 403, 200),  # an empty form: shown again
    ("change_member", "get"): (LOGIN, 405, WELCOME, 403, 403, 405),
    ("change_member", "post"): (LOGIN, 404, WELCOME, 403, 403, "/team/"),
    ("renew_invitation", "get"): (LOGIN, 405, WELCOME, 403, 403, 405),
    ("renew_invitation", "post"): (LOGIN, 404, WELCOME, 403, 403, "/team/"),
    ("revoke_invitation", "get"): (LOGIN, 405, WELCOME, 403, 403, 405),
    ("revoke_invitation", "post"): (LOGIN, 404, WELCOME, 403, 403, "/team/"),
    ("open_invitation", "get"): (INVITED, INVITED, INVITED, INVITED, INVITED, INVITED),
    ("open_invitation", "post"): (405, 405, 405, 405, 405, 405),
    ("invitation", "get"): (200, 200, 200, 200, 200, 200),  # that none is open here
    ("invitation", "post"): (INVITED, INVITED, INVITED, INVITED, INVITED, INVITED),
    ("keys", "get"): (LOGIN, 200, WELCOME, 403, 403, 200),
    ("keys", "post"): (LOGIN, 200, WELCOME, 403, 403, 200),  # an empty form: shown again
    ("revoke_key", "get"): (LOGIN, 405, WELCOME, 403, 403, 405),
    ("revoke_key", "post"): (LOGIN, 404, WELCOME, 403, 403, "/keys/"),
    ("notifications", "get"): (LOGIN, 200, WELCOME, 200, 200, 200),
    ("notifications", "post"): (LOGIN, 405, WELCOME, 405, 405, 405),
    ("unread_count", "get"): (LOGIN, 200, WELCOME, 200, 200, 200),
    ("unread_count", "post"): (LOGIN, 405, WELCOME, 405, 405, 405),
    ("read_all", "get"): (LOGIN, 405, WELCOME, 405, 405, 405),
    ("read_all", "post"): (LOGIN, INBOX, WELCOME, INBOX, INBOX, INBOX),
    ("read_notification", "get"): (LOGIN, 405, WELCOME, 405, 405, 405),
    ("read_notification", "post"): (LOGIN, 404, WELCOME, 404, 404, INBOX),  # it is Olga's
    ("acknowledge", "get"): (LOGIN, 405, WELCOME, 403, 405, 405),
    ("acknowledge", "post"): (LOGIN, 404, WELCOME, 403, 404, INBOX),
    ("notification_settings", "get"): (LOGIN, 200, WELCOME, 200, 200, 200),
    ("notification_settings", "post"): (LOGIN, 200, WELCOME, 200, 200, 200),  # the form again
    ("add_webhook", "get"): (LOGIN, 405, WELCOME, 403, 403, 405),
    ("add_webhook", "post"): (LOGIN, 200, WELCOME, 403, 403, 200),  # an empty form: shown again
    ("remove_webhook", "get"): (LOGIN, 405, WELCOME, 403, 403, 405),
    ("remove_webhook", "post"): (LOGIN, 404, WELCOME, 403, 403, "/notifications/settings/"),
    ("rotate_webhook", "get"): (LOGIN, 405, WELCOME, 403, 403, 405),
    ("rotate_webhook", "post"): (LOGIN, 404, WELCOME, 403, 403, 200),  # the page shows the secret
    ("disable_webhook", "get"): (LOGIN, 405, WELCOME, 403, 403, 405),
    ("disable_webhook", "post"): (LOGIN, 404, WELCOME, 403, 403, "/notifications/settings/"),
    ("enable_webhook", "get"): (LOGIN, 405, WELCOME, 403, 403, 405),
    ("enable_webhook", "post"): (LOGIN, 404, WELCOME, 403, 403, "/notifications/settings/"),
    ("test_channels", "get"): (LOGIN, 405, WELCOME, 403, 403, 405),
    ("test_channels", "post"): (LOGIN, 200, WELCOME, 403, 403, 200),
    ("mailbox", "get"): (200, 200, 200, 200, 200, 200),
    ("mailbox", "post"): (405, 405, 405, 405, 405, 405),
}


def test_every_route_is_on_the_list():
    routes = {pattern.name for pattern in urls.urlpatterns if isinstance(pattern, URLPattern)}

    assert {route for route, _ in DOORS} == routes
    assert DOORS.keys() == {(route, method) for route in routes for method in ("get", "post")}


@pytest.mark.parametrize("persona", PERSONAS)
@pytest.mark.parametrize(("route", "method"), DOORS, ids=" ".join)
def test_a_door_opens_for_whom_it_should(people, settings, tmp_path, route, method, persona):
    answer = knock(people, settings, tmp_path, route, method, persona)

    assert_opened(answer, DOORS[route, method][PERSONAS.index(persona)])


def knock(people, settings, tmp_path, route, method, persona):
    settings.EMAIL_FILE_PATH = str(tmp_path)
    notice = tell_one(people.acme.id, user=people.olga)
    hook = keep_hook(people.acme.id, "https://nobody.invalid/")[0]
    invitation, token = people.invite(f"{method}@people.example")
    address = {
        "health": "/health",
        "welcome": "/welcome/",
        "style_guide": "/style-guide/",
        "switch_workspace": "/workspace/",
        "team": "/team/",
        "change_member": f"/team/{people.membership('vera').pk}/",
        "renew_invitation": f"/team/invitations/{invitation.pk}/renew/",
        "revoke_invitation": f"/team/invitations/{invitation.pk}/revoke/",
        "open_invitation": f"/invitation/{token}/",
        "invitation": INVITED,
        "keys": "/keys/",
        "revoke_key": f"/keys/{people.key().pk}/revoke/",
        "mailbox": "/mailbox/",
        "notifications": INBOX,
        "unread_count": f"{INBOX}count/",
        "read_all": f"{INBOX}read/",
        "read_notification": f"{INBOX}{notice.pk}/read/",
        "acknowledge": f"{INBOX}{notice.pk}/acknowledge/",
        "notification_settings": f"{INBOX}settings/",
        "add_webhook": f"{INBOX}webhooks/",
        "remove_webhook": f"{INBOX}webhooks/{hook.pk}/remove/",
        "rotate_webhook": f"{INBOX}webhooks/{hook.pk}/rotate/",
        "disable_webhook": f"{INBOX}webhooks/{hook.pk}/disable/",
        "enable_webhook": f"{INBOX}webhooks/{hook.pk}/enable/",
        "test_channels": f"{INBOX}test/",
    }[route]
    data = {
        "switch_workspace": {"tenant": str(people.acme.id)},
        "change_member": {"role": "TRADER"},
        "revoke_key": {"word": "revoke"},
    }
    client = people.client(persona)

    return getattr(client, method)(address, data.get(route, {}) if method == "post" else None)


def assert_opened(answer, expected):
    if isinstance(expected, str):
        assert (answer.status_code, answer.url.split("?")[0]) == (DONE, expected)
    else:
        assert answer.status_code == expected


# Of what is sent inside a workspace; the other routes are of a person, or only read.
EFFECTS = {
    "team": Effect.CHANGE,
    "change_member": Effect.HARMLESS,
    "renew_invitation": Effect.CHANGE,
    "revoke_invitation": Effect.HARMLESS,
    "keys": Effect.CHANGE,
    "revoke_key": Effect.HARMLESS,
    "notifications": None,
    "unread_count": None,
    "read_all": Effect.HARMLESS,
    "read_notification": Effect.HARMLESS,
    "acknowledge": Effect.HARMLESS,
    "notification_settings": Effect.HARMLESS,
    "add_webhook": Effect.CHANGE,
    "remove_webhook": Effect.HARMLESS,
    "rotate_webhook": Effect.HARMLESS,
    "disable_webhook": Effect.HARMLESS,
    "enable_webhook": Effect.CHANGE,
    "test_channels": Effect.CHANGE,
}


def test_every_act_is_listed_with_what_it_does_to_the_risk():
    views: dict[str, Any] = {
        p.name: p.callback for p in urls.urlpatterns if hasattr(p.callback, "needs")
    }

    assert views.keys() == EFFECTS.keys()
    for name, effect in EFFECTS.items():
        if effect is None:  # nothing can be sent there
            assert DOORS[name, "post"][-1] == 405
        else:
            assert views[name].effect == effect


@pytest.mark.parametrize("status", ["WINDING_DOWN", "SUSPENDED"])
@pytest.mark.parametrize("route", EFFECTS)
def test_a_suspended_workspace_is_read_and_ended_and_not_changed(
    people, settings, tmp_path, route, status
):
    with tenant_scope(people.acme.id):
        operations.change_standing(
            tenant_id=people.acme.id, status=status, reason="a test", actor=None, now=NOW
        )

    for method in ("get", "post"):
        answer = knock(people, settings, tmp_path, route, method, "olga")

        if method == "post" and status == "SUSPENDED" and EFFECTS[route] == Effect.CHANGE:
            assert answer.status_code == 403
            assert "the workspace is suspended: a test" in answer.content.decode()
        else:
            assert_opened(answer, DOORS[route, method][PERSONAS.index("olga")])


def test_a_stranger_changes_nothing_by_knocking(people):
    vera = people.membership("vera")

    people.client("max").post(f"/team/{vera.pk}/", {"role": "OWNER"})

    assert people.membership("vera").role == "VIEWER"


def test_a_stranger_sees_no_name_of_another_workspace(people):
    page = people.client("max").get("/team/").content.decode()

    assert "max@people.example" in page
    assert "Acme" not in page
    assert "olga@" not in page


@pytest.mark.parametrize("persona", ["anonymous", "max", "vera", "tom", "olga"])
@pytest.mark.parametrize(
    "address", ["/welcome/", "/workspace/", "/team/", "/team/1/", "/keys/", "/notifications/read/"]
)
def test_every_form_wants_its_token(people, persona, address):
    client = people.client(persona)
    client.handler.enforce_csrf_checks = True

    assert client.post(address, {}).status_code == 403
