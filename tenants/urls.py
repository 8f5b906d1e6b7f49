"""URLs of tenants."""

from django.urls import path

from tenants import views

urlpatterns = [
    path("health", views.health, name="health"),
    path("welcome/", views.welcome, name="welcome"),
    path("style-guide/", views.style_guide, name="style_guide"),
    path("workspace/", views.switch_workspace, name="switch_workspace"),
    path("team/", views.team, name="team"),
    path("team/<int:membership_id>/", views.change_member, name="change_member"),
    path("keys/", views.keys, name="keys"),
    path("keys/<uuid:key_id>/revoke/", views.revoke_key, name="revoke_key"),
    path("mailbox/", views.mailbox, name="mailbox"),
]
