"""Verifies and anchors the hash chains of the installation."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

from tenants.anchors import Anchor, append_anchors, read_anchors
from tenants.chain import Head, Walk, walk
from tenants.models import ChainCheck
from tenants.scoping import staff_scope
from trading.ledger.chains import ChainName, list_chains, read_chain


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
    kept: dict[tuple[str, str], list[Head]] = {}
    for anchor in read_anchors(anchors, key=_key()):
        kept.setdefault((anchor.kind, anchor.chain), []).append(anchor.head)
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
        Anchor(
            at=now.isoformat(),
            kind=str(one.name.kind),
            tenant=one.name.tenant,
            chain=str(one.name.chain),
            sequence=one.walk.head.sequence,
            hash=one.walk.head.hash.hex(),
        )
        for one in checked
        if one.is_whole and one.walk.head.sequence
    ]
    return append_anchors(anchors, heads, key=_key())


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
