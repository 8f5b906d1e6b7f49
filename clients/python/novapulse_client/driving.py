"""The part of the client that drives engines; with one engine in the workspace none need be named."""

from uuid import UUID

from novapulse_client.models import Command, Wish
from novapulse_client.reader import Reader


class Driver(Reader):
    """Orders to engines; every method raises ``NovaPulseError`` when it is refused."""

    def start(self, engine: UUID | str | None = None) -> Wish:
        """Ask for it to run; ``status`` tells what became of it."""
        return self._wire.post("/control/start", _named(engine), Wish)

    def stop(self, engine: UUID | str | None = None) -> Wish:
        """Ask for it to stop; open positions keep their stops."""
        return self._wire.post("/control/stop", _named(engine), Wish)

    def pause(self, engine: UUID | str | None = None, *, reason: str = "") -> Command:
        """No new entries; exits and stops keep running."""
        return self._command("pause", engine, reason)

    def resume(self, engine: UUID | str | None = None, *, reason: str = "") -> Command:
        """Entries again."""
        return self._command("resume", engine, reason)

    def close_all(self, engine: UUID | str | None = None, *, reason: str = "") -> Command:
        """Close every position at the next price, and pause."""
        return self._command("close_all", engine, reason)

    def kill(self, engine: UUID | str | None = None, *, reason: str = "") -> Command:
        """Close everything, enter nothing until it is revived; needs scope ``admin``.

        Where real orders are sent a person does it, with a second factor.
        """
        return self._command("kill", engine, reason)

    def revive(self, engine: UUID | str | None = None, *, reason: str = "") -> Command:
        """Lift what a kill set; needs the same as ``kill``."""
        return self._command("revive", engine, reason)

    def _command(self, act: str, engine: UUID | str | None, reason: str) -> Command:
        return self._wire.post(f"/control/{act}", {"reason": reason, **_named(engine)}, Command)


def _named(engine: UUID | str | None) -> dict[str, str]:
    return {} if engine is None else {"engine": str(engine)}
