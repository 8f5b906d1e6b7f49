"""URLs of tenants."""

from django.urls import path

from tenants import invitation_views, notice_views, views

urlpatterns = [
    path("health", views.health, name="health"),
    path("welcome/", views.welcome, name="welcome"),
    path("style-guide/", views.style_guide, name="style_guide"),
    path("workspace/", views.switch_workspace, name="switch_workspace"),
    path("team/", views.team, name="team"),
    path("team/<int:membership_id>/", views.change_member, name="change_member"),
    path(
        "team/invitations/<uuid:invitation_id>/renew/",
        invitation_views.renew_invitation,
        name="renew_invitation",
    ),
    path(
        "team/invitations/<uuid:invitation_id>/revoke/",
        invitation_views.revoke_invitation,
        name="revoke_invitation",
    ),
    path("invitation/", invitation_views.invitation, name="invitation"),
    path("invitation/<slug:token>/", invitation_views.open_invitation, name="open_invitation"),
    path("keys/", views.keys, name="keys"),
    path("keys/<uuid:key_id>/revoke/", views.revoke_key, name="revoke_key"),
    path("notifications/", notice_views.notifications, name="notifications"),
    path("notifications/count/", notice_views.unread_count, name="unread_count"),
    path("notifications/read/", notice_views.read_all, name="read_all"),
    path(
        "notifications/<uuid:notification_id>/read/",
        notice_views.read_notification,
        name="read_notification",
    ),
    path(
        "notifications/<uuid:notification_id>/acknowledge/",
        notice_views.acknowledge,
        name="acknowledge",
    ),
    path(
        "notifications/settings/", notice_views.notification_settings, name="notification_settings"
    ),
    path("notifications/webhooks/", notice_views.add_webhook, name="add_webhook"),
    path(
        "notifications/webhooks/<uuid:endpoint_id>/remove/",
        notice_views.remove_webhook,
        name="remove_webhook",
    ),
    path(
        "notifications/webhooks/<uuid:endpoint_id>/rotate/",
        notice_views.rotate_webhook,
        name="rotate_webhook",
    ),
    path(
        "notifications/webhooks/<uuid:endpoint_id>/disable/",
        notice_views.disable_webhook,
        name="disable_webhook",
    ),
    path(
        "notifications/webhooks/<uuid:endpoint_id>/enable/",
        notice_views.enable_webhook,
        name="enable_webhook",
    ),
    path("notifications/test/", notice_views.test_channels, name="test_channels"),
    path("mailbox/", views.mailbox, name="mailbox"),
]
