"""How far a source was read."""

from uuid import UUID

from tenants.models import NoticeCursor


def read_cursor(source: str) -> tuple[int, str] | None:
    """Position and detail; None for a source that was never read."""
    return NoticeCursor.objects.filter(source=source).values_list("position", "detail").first()


def write_cursor(source: str, position: int, *, tenant_id: UUID, detail: str = "") -> None:
    """Remember it, with what was told in the same transaction."""
    NoticeCursor.objects.update_or_create(
        tenant_id=tenant_id, source=source, defaults={"position": position, "detail": detail}
    )
