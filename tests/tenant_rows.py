"""Makes a row of any model of a tenant from its fields, so that a new model is walked by itself."""

import uuid
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import connection, models

from tenants.models import Tenant
from tenants.scoping import TenantModel, tenant_scope
from tests.factories import NOW, make_instrument, make_user

# What the fields alone do not tell. Keys are model labels; a label without a model fails a guard.
SPECIAL_VALUES: dict[str, dict[str, Any]] = {
    "tenants.Invitation": {"settled_at": None},  # its first state is open
    # A posting sums to zero; one line alone can only do so with nothing on it.
    "trading.LedgerEntry": {"amount": Decimal(0)},
    # A fee takes less than was bought.
    "trading.Fill": {"taken": Decimal(0)},
}
NUMBERS = count(1000)


class Rows:
    """Rows of one tenant; what a row refers to is made as well, and shared."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self._made: dict[type[TenantModel], Any] = {}

    def get(self, model: type[TenantModel]) -> Any:
        """The tenant's row of this model; made at the first call."""
        if model not in self._made:
            with tenant_scope(self.tenant.id):
                self._made[model] = self.make(model)
        return self._made[model]

    def make(self, model: type[TenantModel], **given: Any) -> Any:
        """A new row of this model; inside the tenant's scope."""
        values = {"tenant": self.tenant, **SPECIAL_VALUES.get(model._meta.label, {}), **given}
        for field in model._meta.concrete_fields:
            names = {field.name, field.attname}
            if not names & values.keys() and not isinstance(field, models.AutoField):
                values[field.name] = self._value(model, field)
        row = model(**values)
        row.save(force_insert=True)
        return row

    def make_apart(self, model: type[TenantModel]) -> Any:
        """A new row which nothing refers to and which shares nothing with the tenant's others."""
        apart = Rows(self.tenant)
        with tenant_scope(self.tenant.id):
            return apart.make(model)

    def _value(self, model: type[TenantModel], field: Any) -> Any:
        if isinstance(field, models.ForeignKey):
            return self._referred(model, field)
        number = next(NUMBERS)
        if field.choices:
            return field.choices[0][0]
        match field:
            case models.UUIDField():
                return uuid.uuid4()
            case models.DecimalField() | models.IntegerField():
                return number
            case models.CharField() | models.TextField():
                return f"{field.name} {number}"[: field.max_length]
            case models.DateTimeField():
                return NOW
            case models.TimeField():
                return NOW.time()
            case models.BinaryField():
                return b"bytes"
            case models.JSONField():
                return {"number": number}
            case models.BooleanField():
                return False
        raise NotImplementedError(f"say in tests/tenant_rows.py what a {field!r} of {model} holds")

    def _referred(self, model: type[TenantModel], field: Any) -> Any:
        target = field.related_model
        if issubclass(target, TenantModel):
            # A key that may be empty may also close a circle (a bot and its active revision).
            return None if field.null else self.get(target)
        number = next(NUMBERS)
        match target._meta.label:
            case "tenants.User":
                return make_user(f"somebody{number}@{self.tenant.slug}.example")
            case "trading.Instrument":
                return make_instrument("synthetic", f"C{number}/USD")
        raise NotImplementedError(
            f"say in tests/tenant_rows.py how to make the {field!r} of {model}"
        )


def walked_tables() -> set[str]:
    """Tables of the database this connection sees that carry a tenant, from the catalogue."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname FROM pg_class c
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
              AND NOT a.attisdropped
            """
        )
        return {name for (name,) in cursor.fetchall()}
