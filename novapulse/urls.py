"""Mounts each app's URLs."""

from django.contrib import admin
from django.urls import include, path

handler404 = "tenants.views.not_found"
urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("", include("tenants.urls")),
    path("api/v1/", include("trading.api.urls")),
    path("", include("trading.urls")),
]
