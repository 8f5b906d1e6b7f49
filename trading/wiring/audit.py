"""Verifies and anchors the hash chains of the installation."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

from tenants import operations
from tenants.anchors import Anchor, append_anchors, heads_by_chain, read_anchors
from tenants.chain import Damage, Head, Walk, walk
from tenants.models import ChainCheck
from tenants.scoping import staff_scope, tenant_scope
from trading.ledger.chains import ChainName, list_chains, read_chain

RESTORED = (Damage.TRUNCATED, Damage.REWRITTEN)


@dataclass(frozen=True, slots=True)
class CheckedChain:
    """A chain with what a walk over it found."""

    name: ChainName
    walk: Walk

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.walk.first_break is None


def anchors_path() -> Path:
    """The file the anchors of this installation are kept in."""
    return Path(settings.DATA_DIR) / "audit" / "anchors.jsonl"


def verify_chains(
    *, tenant_id: UUID | None, anchors: Path, now: datetime, checked_by: str
) -> Iterator[CheckedChain]:
    """Walk every chain, of one workspace or of all, and keep what was found.

    Raises:
        AnchorsDamaged: the anchors cannot be believed.
    """
    kept = heads_by_chain(read_anchors(anchors, key=_key()))
    with staff_scope():
        names = [one for one in list_chains() if tenant_id in (None, one.tenant_id)]
    for name in names:
        with staff_scope():
            heads = kept.get((name.kind, str(name.chain)), [])
            checked = CheckedChain(name, walk(read_chain(name), heads))
            _record(checked, now=now, checked_by=checked_by)
        yield checked


def anchor_chains(checked: Iterable[CheckedChain], *, anchors: Path, now: datetime) -> list[str]:
    """Append the heads of the chains that hold to the anchors; the lines as written.

    Raises:
        AnchorsDamaged: the file does not bear our seals.
    """
    heads = [
        _anchor(one.name, one.walk.head, now=now)
        for one in checked
        if one.is_whole and one.walk.head.sequence
    ]
    return append_anchors(anchors, heads, key=_key())


def accept_restore(
    checked: Iterable[CheckedChain], *, reason: str, anchors: Path, now: datetime
) -> list[str]:
    """Go on with chains that are other ones since a backup was restored; the anchors as written.

    Only what a restore does is accepted: a chain that is whole in itself but not the one that was
    anchored. That it was accepted, and why, stands in the workspace's log and in the anchors.

    Raises:
        AnchorsDamaged: the file does not bear our seals.
    """
    restored = [
        one for one in checked if one.walk.first_break and one.walk.first_break.damage in RESTORED
    ]
    for one in restored:
        assert one.walk.first_break is not None
        with tenant_scope(one.name.tenant_id):
            operations.write_audit(
                tenant_id=one.name.tenant_id,
                actor=None,
                action="audit.accept_restore",
                subject=f"{one.name.kind.lower()} {one.name.chain}",
                before={"found": one.walk.first_break.words},
                after={"reason": reason, "anchored_up_to": one.walk.proven},
                now=now,
            )
    heads = []
    for one in restored:
        with staff_scope():
            head = walk(read_chain(one.name)).head
        heads.append(_anchor(one.name, head, now=now, note=reason, holds_to=one.walk.proven))
    return append_anchors(anchors, heads, key=_key())


def _anchor(
    name: ChainName, head: Head, *, now: datetime, note: str = "", holds_to: int = 0
) -> Anchor:
    return Anchor(
        at=now.isoformat(),
        kind=str(name.kind),
        tenant=name.tenant,
        chain=str(name.chain),
        sequence=head.sequence,
        hash=head.hash.hex(),
        note=note,
        holds_to=holds_to,
    )


def _key() -> bytes:
    return salted_hmac("novapulse.anchors", "", algorithm="sha256").digest()


def _record(checked: CheckedChain, *, now: datetime, checked_by: str) -> None:
    broken = checked.walk.first_break
    ChainCheck.objects.create(
        tenant_id=checked.name.tenant_id,
        kind=checked.name.kind,
        chain=checked.name.chain,
        entries=checked.walk.head.sequence,
        head_hash=checked.walk.head.hash,
        broken_at=broken.sequence if broken else None,
        damage=broken.damage if broken else "",
        words=broken.words if broken else "",
        checked_at=now,
        checked_by=checked_by,
    )
