"""A real fleet carries out what pages and the beat only ask for: it opens the key and asks the venue."""

import signal

import pytest
from django.utils import timezone

from tenants import operations as tenant_operations
from tenants.scoping import tenant_scope
from tests.faults.processes import ended_afterwards, wait_for
from tests.forking import Program
from tests.simulator_place import tell_port
from tests.vault.conftest import KEY, SECRET, make_account
from tests.vault.venue import open_venue
from trading.exchanges.simulator.accounts import RIGHTS

pytestmark = pytest.mark.faults


def test_a_fleet_checks_what_was_asked_and_ends_cleanly(environment, tmp_path) -> None:
    kept = make_account("acme")
    kept.seal()
    with open_venue(key=KEY, secret=SECRET) as (simulator, customer):
        tell_port(tmp_path, simulator.port)
        places = {**environment, "NOVA_DATA_DIR": str(tmp_path)}
        fleet = Program("manage.py", "run_fleet", environment=places)
        with ended_afterwards(fleet):
            wait_for(lambda: kept.row().state == "GOOD", "the new key is found good", seconds=120)

            customer.rights = (*RIGHTS, "withdraw-funds")
            with tenant_scope(kept.tenant_id):
                tenant_operations.ask_check(
                    account_id=kept.account_id, actor=None, now=timezone.now()
                )
            wait_for(lambda: kept.row().state == "BAD", "the right is noticed", seconds=30)

            fleet.send_signal(signal.SIGTERM)
            assert fleet.wait(30) == 0

    assert kept.row().detail == "the key may withdraw-funds; make one at Kraken that cannot"
