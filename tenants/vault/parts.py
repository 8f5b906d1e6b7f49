"""What the vault is handed and gives back; nothing here prints a secret."""

from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ExchangeKey:
    """A key of a venue as the venue gave it out."""

    key: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A tenant's data key, locked with a key-encryption key (KEK)."""

    tenant_id: UUID
    data_key_id: UUID
    kek_id: str
    wrapped: bytes = field(repr=False)

    @property
    def context(self) -> bytes:
        """What the lock is tied to: nobody else's data key, and no other KEK's."""
        return f"novapulse data key|{self.tenant_id}|{self.data_key_id}|{self.kek_id}".encode()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed key stands: the row, whose it is, and which version of it."""

    tenant_id: UUID
    account_id: UUID
    credential_id: UUID
    version: int
    data_key_id: UUID

    @property
    def context(self) -> bytes:
        """What the seal is tied to: moved anywhere else, or put back later, it does not open."""
        return (
            f"novapulse exchange key|{self.tenant_id}|{self.account_id}|{self.credential_id}"
            f"|{self.version}|{self.data_key_id}"
        ).encode()
