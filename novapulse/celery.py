"""Celery application, queue declarations and the beat schedule."""

import os

from celery import Celery, signals
from celery.schedules import crontab
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "novapulse.settings")
app = Celery("novapulse")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = (Queue("default"), Queue("research"), Queue("charts"))
app.conf.task_default_queue = "default"
app.autodiscover_tasks()


@signals.worker_init.connect
@signals.beat_init.connect
def refuse_other_tables(**_: object) -> None:
    """A worker or clock of another version than the database's tables does nothing."""
    from tenants.schema import insist_on_schema  # needs the app registry

    insist_on_schema()


app.autodiscover_tasks(related_name="research_tasks")  # apart, because they load the compiler

BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "mark-silent-engines": {
        "task": "trading.tasks.mark_silent_engines",
        "schedule": 15.0,
        "options": {"queue": "default", "expires": 15},
    },
    "follow-standings": {
        "task": "trading.tasks.follow_standings",
        "schedule": 10.0,
        "options": {"queue": "default", "expires": 10},
    },
    "wake-research": {
        "task": "trading.tasks.wake_research",
        "schedule": 15.0,
        "options": {"queue": "default", "expires": 15},
    },
    "ask-key-checks": {
        "task": "trading.tasks.ask_key_checks",
        "schedule": 900.0,
        "options": {"queue": "default", "expires": 900},
    },
    "tell-news": {
        "task": "trading.tasks.tell_news",
        "schedule": 10.0,
        "options": {"queue": "default", "expires": 10},
    },
    "deliver-notices": {
        "task": "tenants.tasks.deliver_notices",
        "schedule": 10.0,
        "options": {"queue": "default", "expires": 10},
    },
    "tell-day": {
        "task": "trading.tasks.tell_day",
        "schedule": crontab(hour=0, minute=5),
        "options": {"queue": "default", "expires": 3600},
    },
    "anchor-audit": {
        "task": "trading.tasks.anchor_audit",
        "schedule": crontab(hour=2, minute=17),
        "options": {"queue": "default", "expires": 3600},
    },
    "forget-old-answers": {
        "task": "tenants.tasks.forget_old_answers",
        "schedule": 3600.0,
        "options": {"queue": "default", "expires": 3600},
    },
    "forget-old-notices": {
        "task": "tenants.tasks.forget_old_notices",
        "schedule": 3600.0,
        "options": {"queue": "default", "expires": 3600},
    },
    "forget-old-invitations": {
        "task": "tenants.tasks.forget_old_invitations",
        "schedule": 3600.0,
        "options": {"queue": "default", "expires": 3600},
    },
    "expire-invitations": {
        "task": "tenants.tasks.expire_invitations",
        "schedule": 600.0,
        "options": {"queue": "default", "expires": 600},
    },
    "clear-expired-sessions": {
        "task": "tenants.tasks.clear_expired_sessions",
        "schedule": 3600.0,
        "options": {"queue": "default", "expires": 3600},
    },
}
app.conf.beat_schedule = BEAT_SCHEDULE
