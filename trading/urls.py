"""HTTP and WebSocket routes."""

from django.urls import path

from trading import consumers, views

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("engines/<uuid:engine_id>/", views.dashboard, name="engine"),
    path("engines/<uuid:engine_id>/chart/<int:market>/", views.chart, name="chart"),
    path("engines/<uuid:engine_id>/commands/<slug:name>/", views.command, name="command"),
]
websocket_urlpatterns = [path("ws/live", consumers.LiveConsumer.as_asgi())]
