"""NovaPulse: project package; exports the Celery application."""

from novapulse.celery import app as celery_app

__all__ = ["celery_app"]
