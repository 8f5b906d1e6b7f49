"""Notifications over the API: the caller's inbox, wishes, and the test of every channel."""

from typing import Any

from tenants.models import Notice
from tenants.scoping import tenant_scope
from tests.apps.api.conftest import post
from tests.apps.tenants.hook_server import receiving
from tests.apps.tenants.notices import keep_hook, some_news, tell_all

WISHES = "/notifications/settings"


def patch(client: Any, path: str, body: Any, *, match: str | None = "*") -> Any:
    headers = {"If-Match": match} if match else {}
    return client.patch(f"/api/v1{path}", body, content_type="application/json", headers=headers)


def test_an_inbox_is_paged_filtered_and_ones_own(people, as_caller) -> None:
    tell_all(people.engine.tenant_id, *(some_news(title=f"news {n}") for n in range(5)))
    client = as_caller("vera-read")
    first = client.get("/api/v1/notifications?limit=3").json()
    second = client.get(f"/api/v1/notifications?limit=3&cursor={first['next']}").json()

    told = {one["title"] for one in first["items"] + second["items"]}
    assert (len(first["items"]), len(second["items"]), second["next"]) == (3, 2, None)
    assert told == {f"news {n}" for n in range(5)}
    assert first["unread"] == 5
    assert client.get("/api/v1/notifications?kind=HOLD").json()["items"] == []
    assert client.get("/api/v1/notifications?kind=WEATHER").status_code == 400
    assert client.get("/api/v1/notifications?unread=perhaps").status_code == 400
    assert as_caller("max-admin").get("/api/v1/notifications").json()["items"] == []


def test_a_notification_is_marked_and_acknowledged(people, as_caller) -> None:
    tell_all(people.engine.tenant_id, some_news())
    client = as_caller("tom-trade")
    (one,) = client.get("/api/v1/notifications").json()["items"]
    path = f"/notifications/{one['notification']}"

    assert patch(client, path, {"read": True}).json()["read_at"] is not None
    assert patch(client, path, {"read": False}).json()["read_at"] is None
    acknowledged = post(client, f"{path}/acknowledge").json()
    assert acknowledged["acknowledged_by"] == people.tom.email
    with tenant_scope(people.engine.tenant_id):
        assert Notice.objects.get().acknowledged_by == people.tom
    assert post(as_caller("olga-admin"), "/notifications/read").json() == {"read": 1}


def test_wishes_are_changed_field_by_field(people, as_caller) -> None:
    client = as_caller("tom-trade")

    changed = patch(client, WISHES, {"email_kinds": ["SUMMARY"]}).json()

    assert changed["email_kinds"] == ["SUMMARY"]
    assert "ALERT" in changed["inbox_kinds"]
    refused = patch(client, WISHES, {"time_zone": "Mars"})
    assert refused.json()["errors"][0]["field"] == "time_zone"
    unknown = patch(client, WISHES, {"timezone": "UTC"})
    assert "did you mean 'time_zone'" in unknown.json()["errors"][0]["message"]
    assert client.get(f"/api/v1{WISHES}").json() == changed


def test_of_two_who_saw_the_same_wishes_one_changes_them(people, as_caller) -> None:
    first, second = as_caller("tom-trade"), as_caller("tom")
    seen = first.get(f"/api/v1{WISHES}")["ETag"]
    assert second.get(f"/api/v1{WISHES}")["ETag"] == seen

    changed = patch(first, WISHES, {"time_zone": "Europe/Berlin"}, match=seen)
    late = patch(second, WISHES, {"time_zone": "Asia/Tokyo"}, match=seen)
    blind = patch(second, WISHES, {"time_zone": "Asia/Tokyo"}, match=None)

    assert (changed.status_code, late.status_code, blind.status_code) == (200, 412, 428)
    assert changed["ETag"] != seen
    assert changed["ETag"] in late.json()["detail"]
    told = second.get(f"/api/v1{WISHES}")
    assert (told.json()["time_zone"], told["ETag"]) == ("Europe/Berlin", changed["ETag"])
    assert as_caller("olga").get(f"/api/v1{WISHES}")["ETag"] != changed["ETag"]


def test_the_test_of_channels_tells_what_happened_in_each(
    people, as_caller, settings, mailoutbox
) -> None:
    settings.WEBHOOK_LOOPBACK = True
    with receiving() as good, receiving() as bad:
        bad.answers = [500]
        for one in (good, bad):
            keep_hook(people.engine.tenant_id, one.address)
        told = post(as_caller("olga-admin"), "/alerts/test").json()["channels"]

    outcomes = [(one["channel"], one["sent"], one["reason"]) for one in told]
    assert outcomes[:2] == [("inbox", True, ""), ("email", True, "")]
    assert sorted(outcomes[2:]) == [("webhook", False, "answered 500"), ("webhook", True, "")]
    assert len(good.got) == len(mailoutbox) == 1
