"""The client: one method for each thing a program asks of an installation."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any
from urllib.parse import quote
from uuid import UUID

from novapulse_client.base import Page
from novapulse_client.drawing import Drawer
from novapulse_client.driving import Driver
from novapulse_client.insight import Favorite, Reset, Settings
from novapulse_client.live import Update
from novapulse_client.models import Revision, Run
from novapulse_client.standing import Account
from novapulse_client.team import ApiKey, Invitation, Member, NewKey
from novapulse_client.telling import Teller
from novapulse_client.wire import Wire


class Client(Teller, Driver, Drawer):
    """One installation under one key; use it in a ``with``, or close it.

    Every method raises ``NovaPulseError`` when it is refused or there is no answer.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(Wire(base_url, api_key, timeout=timeout, sleep=sleep))
        self._sleep = sleep
        self._place = (base_url, api_key, timeout)

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._wire.close()

    def stream(self) -> Generator[Update]:
        """The newest value of every key of the workspace, then every change, for ever.

        A broken connection is made anew, with growing patience; what changed meanwhile is told then.
        Needs ``pip install novapulse-client[stream]``.
        """
        from novapulse_client import stream  # the only part that needs websockets

        base_url, api_key, timeout = self._place
        line = stream.line_to(base_url, api_key, timeout=timeout)
        return stream.listen(line, sleep=self._sleep)

    def change_bot(
        self, bot: UUID | str, params: Mapping[str, Any], *, based_on: int | None = None
    ) -> Revision:
        """Make a revision with these parameters changed; ``wait`` tells that it only is proposed.

        Args:
            based_on: the revision you looked at; refused with 412 when it is not in force any more.
                Without it: the one in force now.
        """
        body = {"params": dict(params)}
        return self._revise(bot, "revisions", body, based_on)

    def revert_bot(
        self, bot: UUID | str, revision: int, *, based_on: int | None = None
    ) -> Revision:
        """Make a revision with the parameters of an earlier one; ``wait`` and ``based_on`` as above."""
        return self._revise(bot, f"revisions/{revision}/revert", {}, based_on)

    def withdraw_revision(self, bot: UUID | str, revision: int) -> Revision:
        """Give up one that waits. Only a person puts it in force, with a second factor."""
        return self._wire.post(f"/bots/{bot}/revisions/{revision}/withdraw", {}, Revision)

    def change_settings(self, *, based_on: int | None = None, **settings: Any) -> Settings:
        """Make a version of the workspace's settings in which these differ; needs scope ``admin``.

        Args:
            based_on: the version you looked at; without it, the one in force now.
        """
        tag = self._wire.tag_of("/settings") if based_on is None else f'"s{based_on}"'
        return self._wire.change("PATCH", "/settings", settings, Settings, {"If-Match": tag})

    def mark_favorite(self, pair: str) -> list[Favorite]:
        """Mark a pair; what is marked now."""
        return self._wire.post("/favorites", {"pair": pair}, Page[Favorite]).items

    def unmark_favorite(self, pair: str) -> list[Favorite]:
        """Take the mark away; what is marked now."""
        path = f"/favorites?pair={quote(pair, safe='')}"
        return self._wire.change("DELETE", path, {}, Page[Favorite]).items

    def choose_tier(self, account: UUID | str, tier: str) -> Account:
        """Say that it is STARTER, INTERMEDIATE or PRO at its venue; needs scope ``admin``."""
        return self._wire.change("PUT", f"/accounts/{account}/tier", {"tier": tier}, Account)

    def choose_protection(self, account: UUID | str, protection: str) -> Account:
        """What guards it while no engine does, STOPS or SWITCH; needs scope ``admin``."""
        path, body = f"/accounts/{account}/protection", {"protection": protection}
        return self._wire.change("PUT", path, body, Account)

    def reset_paper(self, account: UUID | str, *, cash: Decimal | None = None) -> Reset:
        """Start a paper account over; its engine must stand still and hold nothing."""
        body = {"account": str(account)} | ({} if cash is None else {"cash": str(cash)})
        return self._wire.post("/paper/reset", body, Reset)

    def invite(self, email: str, role: str = "VIEWER") -> Invitation:
        """By letter, as VIEWER or TRADER; no key invites an owner. Needs scope ``admin``."""
        return self._wire.post("/team/invitations", {"email": email, "role": role}, Invitation)

    def renew_invitation(self, invitation: UUID | str) -> Invitation:
        """Send the letter again, with another link; needs scope ``admin``."""
        return self._wire.post(f"/team/invitations/{invitation}/renew", {}, Invitation)

    def revoke_invitation(self, invitation: UUID | str) -> Invitation:
        """Its link opens nothing any more; needs scope ``admin``."""
        return self._wire.change("DELETE", f"/team/invitations/{invitation}", {}, Invitation)

    def change_member(self, member: int, role: str) -> list[Member]:
        """Another role, and who is there now; needs scope ``admin``."""
        path = f"/team/members/{member}"
        return self._wire.change("PATCH", path, {"role": role}, Page[Member]).items

    def remove_member(self, member: int) -> list[Member]:
        """Take somebody out, and who is there now; needs scope ``admin``."""
        return self._wire.change("DELETE", f"/team/members/{member}", {}, Page[Member]).items

    def issue_key(self, label: str, *, scope: str = "read", days: int | None = None) -> NewKey:
        """A key of scope ``read`` or ``trade`` that acts for you; needs scope ``admin``."""
        body = {"label": label, "scope": scope} | ({} if days is None else {"days": days})
        return self._wire.post("/keys", body, NewKey)

    def revoke_key(self, key: UUID | str) -> ApiKey:
        """For ever, at once; needs scope ``admin``."""
        return self._wire.change("DELETE", f"/keys/{key}", {}, ApiKey)

    def backtest(self, pairs: Sequence[str], **options: Any) -> Run:
        """Ask for a backtest; ``options`` are those of ``POST /backtest/run``."""
        return self._wire.post("/backtest/run", {"pairs": list(pairs), **options}, Run)

    def wait_for_run(self, number: int, *, seconds: float = 600.0, every: float = 1.0) -> Run:
        """The run once it has ended, however it ended.

        Raises:
            TimeoutError: it is still going after so many seconds.
        """
        deadline = time.monotonic() + seconds
        while not (run := self.run(number)).has_ended:
            if time.monotonic() >= deadline:
                raise TimeoutError(f"run {number} is {run.status.lower()} after {seconds:g} s")
            self._sleep(every)
        return run

    def _revise(
        self, bot: UUID | str, path: str, body: Mapping[str, Any], based_on: int | None
    ) -> Revision:
        tag = self._wire.tag_of(f"/bots/{bot}") if based_on is None else f'"r{based_on}"'
        return self._wire.post(f"/bots/{bot}/{path}", body, Revision, {"If-Match": tag})
