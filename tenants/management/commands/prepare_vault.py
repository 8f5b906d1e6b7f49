"""prepare_vault: make the vault's first KEK, or see that the ones the database needs are there."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tenants.models import DataKey
from tenants.scoping import staff_scope
from tenants.vault import keyring

EXIT_CONFIGURATION = 4


class Command(BaseCommand):
    """Idempotent; runs after ``migrate`` on every start."""

    help = "Make the vault's key-encryption key, or check that none is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """A way on for who lost it."""
        parser.add_argument(
            "--lost",
            action="store_true",
            help="go on with a new key although what the lost one sealed never opens again",
        )

    def handle(self, *, lost: bool, **_: Any) -> None:
        """One KEK at least, and every one that something is wrapped with."""
        with staff_scope():
            needed = set(DataKey.objects.order_by().values_list("kek_id", flat=True).distinct())
        is_new = keyring.is_file() and not Path(settings.VAULT_KEK_FILE).exists()
        try:
            if is_new and (lost or not needed):
                keyring.add_kek()
            ring = keyring.load()
        except keyring.NoKeyring as error:
            wanted = f"; it held {', '.join(sorted(needed))}" if needed else ""
            raise CommandError(f"{error}{wanted}", returncode=EXIT_CONFIGURATION) from None
        missing = ", ".join(sorted(needed - ring.keks.keys()))
        if missing and not lost:
            raise CommandError(
                f"exchange keys are sealed under the vault's key {missing}, which is not in "
                f"{keyring.source()}; put it back from its backup, or run manage.py prepare_vault "
                "--lost and enter every exchange key again",
                returncode=EXIT_CONFIGURATION,
            )
        made = "made" if is_new else "ready"
        self.stdout.write(f"The vault's key {ring.newest_id} is {made} in {keyring.source()}.")
