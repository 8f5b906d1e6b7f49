"""TenantModel, TenantManager, current tenant contextvar, RLS session variable."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction

_tenant: ContextVar[UUID | None] = ContextVar("tenant", default=None)
_staff: ContextVar[bool] = ContextVar("staff", default=False)


class ScopeMissing(Exception):
    """A tenant's rows were asked for where no tenant is set."""


class ScopeConflict(Exception):
    """A tenant's scope was opened inside another tenant's."""


def current_tenant_id() -> UUID | None:
    """The tenant whose scope is open here, if any."""
    return _tenant.get()


def is_staff_scope() -> bool:
    """Whether queries go through the staff role, which sees every tenant."""
    return _staff.get()


@contextmanager
def tenant_scope(tenant_id: UUID | str) -> Iterator[None]:
    """One transaction in which row-level security shows this tenant's rows, and no others.

    The setting is local to the transaction, so nothing is left on the connection afterwards.

    Raises:
        ScopeConflict: another tenant's scope is open.
    """
    wanted = UUID(str(tenant_id))
    current = _tenant.get()
    if current is not None and current != wanted:
        raise ScopeConflict(f"the scope of {current} is open; {wanted} may not be opened inside")
    token = _tenant.set(wanted)
    try:
        with transaction.atomic():
            if current is not None:
                yield
                return
            _set_config(str(wanted))
            yield
            if not connection.needs_rollback:  # a transaction that is lost takes the setting along
                _set_config("")  # inside an outer transaction the setting would live on
    finally:
        _tenant.reset(token)


def _set_config(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [value])


@contextmanager
def staff_scope() -> Iterator[None]:
    """Queries go to the staff role: the admin site and named look-ups of operators only."""
    token = _staff.set(True)
    try:
        with transaction.atomic(using="staff"):
            yield
    finally:
        _staff.reset(token)


class StaffRouter:
    """Sends every query of a staff scope to the staff role's connection."""

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str | None:
        return "staff" if _staff.get() else None

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str | None:
        return "staff" if _staff.get() else None

    def allow_relation(self, *_: Any, **hints: Any) -> bool:
        return True  # the aliases are roles of one database

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "owner"


class TenantQuerySet(models.QuerySet[Any]):
    """Refuses to run where no tenant is set: the second net behind row-level security."""

    def _refuse_without_scope(self) -> None:
        if _tenant.get() is None and not _staff.get() and self._db not in ("staff", "owner"):
            raise ScopeMissing(f"{self.model.__name__}: open tenant_scope(…) first")

    def _fetch_all(self) -> None:
        if self._result_cache is None:
            self._refuse_without_scope()
        super()._fetch_all()  # type: ignore[misc]

    def iterator(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        self._refuse_without_scope()
        return super().iterator(*args, **kwargs)

    def count(self) -> int:
        self._refuse_without_scope()
        return super().count()

    def exists(self) -> bool:
        self._refuse_without_scope()
        return super().exists()

    def update(self, **values: Any) -> int:
        self._refuse_without_scope()
        return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._refuse_without_scope()
        return super().delete()


TenantManager = models.Manager.from_queryset(TenantQuerySet)


class TenantModel(models.Model):
    """A row that belongs to one tenant; ``tenants.security`` puts its table under the policy."""

    APPEND_ONLY = False

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="+")

    objects = TenantManager()

    class Meta:
        abstract = True
