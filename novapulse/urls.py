"""Mounts each app's URLs."""

from django.contrib import admin
from django.urls import include, path

handler400 = "tenants.error_views.bad_request"
handler403 = "tenants.error_views.not_allowed"
handler404 = "tenants.error_views.not_found"
handler500 = "tenants.error_views.server_error"
urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("", include("tenants.urls")),
    path("api/v1/", include("trading.api.urls")),
    path("", include("trading.urls")),
]
