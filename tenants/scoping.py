"""TenantModel, TenantManager, current tenant contextvar, RLS session variable."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction

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
    outer = _tenant.get()
    if outer is not None and outer != wanted:
        raise ScopeConflict(f"the scope of {outer} is open; {wanted} may not be opened inside")
    token = _tenant.set(wanted)
    try:
        with transaction.atomic():
            _set_on_connection(str(wanted))
            yield
        if outer is None and connection.in_atomic_block:
            _clear_inside_outer_transaction()
    finally:
        _tenant.reset(token)


def set_session_tenant(tenant_id: UUID | str) -> None:
    """For a connection of one tenant's engine alone: its scope also where no transaction is open."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, false)", [str(tenant_id)])


def _set_on_connection(tenant: str) -> None:
    # Also when the same scope is open already: it may be open on another thread's connection.
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [tenant])


def _clear_inside_outer_transaction() -> None:
    """What a caller's transaction does next is not this tenant's any more.

    Deferred checks run first: later they would not see the rows they have to check. (A scope that
    raised needs nothing: rolling back to its savepoint took the setting back.)
    """
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    _set_on_connection("")


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
        if self.db != DEFAULT_DB_ALIAS:
            return
        if _tenant.get() is None:
            raise ScopeMissing(f"{self.model.__name__}: open tenant_scope(…) first")
        if not connections[DEFAULT_DB_ALIAS].in_atomic_block:
            raise ScopeMissing(
                f"{self.model.__name__}: the scope is open on another thread's connection; "
                "open tenant_scope(…) in this one too"
            )

    def _fetch_all(self) -> None:
        if self._result_cache is None:
            self._refuse_without_scope()
        super()._fetch_all()

    def iterator(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        self._refuse_without_scope()
        return super().iterator(*args, **kwargs)

    def count(self) -> int:
        self._refuse_without_scope()
        return super().count()

    def exists(self) -> bool:
        self._refuse_without_scope()
        return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._refuse_without_scope()
        return super().aggregate(*args, **kwargs)

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[Any]:
        self._refuse_without_scope()
        return super().bulk_create(*args, **kwargs)

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
