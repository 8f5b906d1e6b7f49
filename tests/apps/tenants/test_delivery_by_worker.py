"""From the row to the receiver by a real worker over real Redis, against committed rows."""

import json

import pytest
from celery.contrib.testing.worker import start_worker
from django.core import mail

from novapulse.celery import app
from tenants.models import Delivery
from tenants.scoping import tenant_scope
from tenants.tasks import deliver_notices
from tests import factories
from tests.apps.tenants.hook_server import receiving
from tests.apps.tenants.notices import keep_hook, some_news, tell_all
from tests.database import FreshDatabase
from tests.faults.processes import wait_for


@pytest.fixture
def tenant_id(fresh_database: FreshDatabase, settings):
    settings.WEBHOOK_LOOPBACK = True
    return factories.make_tenant("acme").id


def states(tenant_id) -> set[str]:
    with tenant_scope(tenant_id):
        return set(Delivery.objects.values_list("state", flat=True))


def test_a_worker_delivers_what_the_database_holds(tenant_id):
    mail.outbox = []
    with receiving() as receiver:
        keep_hook(tenant_id, receiver.address)
        tell_all(tenant_id, some_news())
        with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
            deliver_notices.delay()
            wait_for(lambda: states(tenant_id) == {"SENT"}, "letter and webhook to be sent")

        ((_, body),) = receiver.got
    assert json.loads(body)["title"] == "Paper: clock"
    assert [letter.to for letter in mail.outbox] == [["olga@acme.example"]]
