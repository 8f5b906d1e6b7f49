"""Tells what the code declares: strategies, parameters, gates, metrics; writes them into docs."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.management.bars import EXIT_ERROR
from trading.management.reference import pages


class Command(BaseCommand):
    """One page on the terminal, or all of them as files."""

    help = "Describe strategies, parameters, gates and metrics from the code's declarations."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which page, or where to."""
        names = [name.removesuffix(".md") for name in pages()]
        parser.add_argument("page", nargs="?", choices=names, help="print this one")
        parser.add_argument("--write", type=Path, metavar="DIR", help="write all of them there")

    def handle(self, **options: Any) -> None:
        """Print or write."""
        if options["write"]:
            self._write(options["write"])
        elif options["page"]:
            self.stdout.write(pages()[f"{options['page']}.md"])
        else:
            self.stdout.write("\n".join(name.removesuffix(".md") for name in pages()))

    def _write(self, directory: Path) -> None:
        for name, text in pages().items():
            try:
                (directory / name).write_text(text, encoding="utf-8")
            except OSError as error:
                raise CommandError(
                    f"--write {directory}: {error.strerror}", returncode=EXIT_ERROR
                ) from None
            self.stdout.write(f"{directory / name}")
