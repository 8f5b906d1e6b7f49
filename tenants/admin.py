"""Admin screens of people, workspaces, accounts and the audit log."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django.utils import timezone

from tenants import operations
from tenants.models import (
    ApiKey,
    AuditEntry,
    ChainCheck,
    DataKey,
    Delivery,
    ExchangeAccount,
    ExchangeCredential,
    Invitation,
    KnownDevice,
    Membership,
    Notice,
    NoticeCursor,
    Notification,
    NotificationSettings,
    StoredAnswer,
    Tenant,
    User,
    WebhookEndpoint,
)
from tenants.nudges import Nudge, nudge_on_commit

Words = dict[str, str]  # of a row's columns

# Operators sign in where everybody does: with rate limits and the second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that only the platform writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class PersonAdmin(UserAdmin):
    """People sign in by e-mail address."""

    ordering = ("email",)
    list_display = ("email", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email",)
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "password1", "password2")}),)


admin.site.unregister(Authenticator)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Second factors: may be taken away from who lost theirs; never shown, never made here."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    exclude = ("data",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


class AuditedAdmin(admin.ModelAdmin):
    """What operators change in a workspace stands in that workspace's own log."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        before = {name: str(form.initial[name]) for name in form.changed_data if change}
        after = {name: str(form.cleaned_data[name]) for name in form.changed_data}
        self._log(request, obj, "change" if change else "add", before, after)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self._log(request, obj, "remove", {"row": str(obj)}, {})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for obj in queryset:
            self.delete_model(request, obj)

    def _log(self, request: HttpRequest, obj: Any, verb: str, before: Words, after: Words) -> None:
        tenant_id = obj.pk if isinstance(obj, Tenant) else obj.tenant_id
        operations.write_audit(
            tenant_id=tenant_id,
            actor=request.user,  # type: ignore[arg-type]
            action=f"operator.{obj._meta.model_name}.{verb}",
            subject=str(obj),
            before=before,
            after=after,
            now=timezone.now(),
        )
        nudge_on_commit(tenant_id, Nudge.ACCESS, using="staff")


@admin.register(Tenant)
class TenantAdmin(AuditedAdmin):
    """Workspaces; people make them on the welcome page."""

    list_display = ("name", "slug", "status", "status_reason", "created_at")
    list_filter = ("status",)
    search_fields = ("name", "slug")
    readonly_fields = ("id", "slug", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Tenant | None = None) -> bool:
        return False


@admin.register(Membership)
class MembershipAdmin(AuditedAdmin):
    """Who may enter which workspace."""

    list_display = ("user", "tenant", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "tenant")
    search_fields = ("user__email", "tenant__slug")
    autocomplete_fields = ("user", "tenant")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("user", "tenant", "created_at") if obj else ()


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Who was invited into which workspace; revoked on the workspace's own page."""

    list_display = ("email", "tenant", "role", "invited_by", "state", "sent_at", "expires_at")
    list_filter = ("state", "role")
    list_select_related = ("tenant", "invited_by")
    search_fields = ("email", "tenant__slug", "invited_by__email")
    exclude = ("digest",)


@admin.register(ExchangeAccount)
class ExchangeAccountAdmin(ReadOnlyAdmin):
    """Accounts at venues."""

    list_display = ("label", "venue", "mode", "protection", "tier", "quote_currency", "tenant")
    list_filter = ("venue", "mode")
    list_select_related = ("tenant",)
    search_fields = ("label", "tenant__slug")


@admin.register(ExchangeCredential)
class ExchangeCredentialAdmin(ReadOnlyAdmin):
    """Sealed keys of accounts: how they stand, never what they are."""

    list_display = ("account", "tenant", "last_four", "version", "state", "checked_at")
    list_filter = ("state",)
    list_select_related = ("tenant", "account")
    search_fields = ("account__label", "tenant__slug")
    exclude = ("sealed", "former_sealed", "fingerprint", "data_key", "former_data_key")


@admin.register(DataKey)
class DataKeyAdmin(ReadOnlyAdmin):
    """Which KEK each tenant's data keys are wrapped with."""

    list_display = ("tenant", "number", "kek_id", "created_at")
    list_filter = ("kek_id",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__slug", "kek_id")
    exclude = ("wrapped",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what."""

    list_display = ("at", "tenant", "sequence", "actor_label", "action", "subject")
    list_filter = ("action",)
    list_select_related = ("tenant",)
    search_fields = ("actor_label", "subject", "tenant__slug")
    date_hierarchy = "at"


@admin.register(ChainCheck)
class ChainCheckAdmin(ReadOnlyAdmin):
    """Walks over the hash chains."""

    list_display = ("checked_at", "tenant", "kind", "entries", "broken_at", "damage", "checked_by")
    list_filter = ("kind", "damage")
    list_select_related = ("tenant",)
    search_fields = ("chain", "tenant__slug")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys of programs; revoked on the workspace's own page."""

    list_display = ("label", "tenant", "scope", "hint", "user", "expires_at", "last_used_at",
                    "revoked_at")  # fmt: skip
    list_filter = ("scope", "revoked_at")
    list_select_related = ("tenant", "user")
    search_fields = ("label", "tenant__slug", "user__email")
    exclude = ("digest",)


@admin.register(StoredAnswer)
class StoredAnswerAdmin(ReadOnlyAdmin):
    """First answers to requests with an Idempotency-Key, kept for two days."""

    list_display = ("created_at", "tenant", "actor", "key", "status")
    list_filter = ("status",)
    list_select_related = ("tenant",)
    search_fields = ("key", "actor", "tenant__slug")
    date_hierarchy = "created_at"


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """What people were told of."""

    list_display = ("happened_at", "tenant", "kind", "severity", "title", "acknowledged_at")
    list_filter = ("kind", "severity")
    list_select_related = ("tenant",)
    search_fields = ("title", "tenant__slug")
    date_hierarchy = "happened_at"


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """Notices in inboxes."""

    list_display = ("told_at", "tenant", "user", "notice", "read_at")
    list_select_related = ("tenant", "user", "notice")
    search_fields = ("user__email", "tenant__slug")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """The outbox: what was sent, what waits, what was given up and why."""

    list_display = ("due_at", "tenant", "channel", "recipient", "state", "attempts", "reason")
    list_filter = ("state", "channel")
    list_select_related = ("tenant",)
    search_fields = ("recipient", "tenant__slug")


@admin.register(NotificationSettings)
class NotificationSettingsAdmin(ReadOnlyAdmin):
    """What members want to be told."""

    list_display = ("user", "tenant", "least_severity", "time_zone", "quiet_from", "quiet_until")
    list_select_related = ("tenant", "user")
    search_fields = ("user__email", "tenant__slug")


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    """Addresses that are told, never with their secrets."""

    list_display = ("url", "tenant", "least_severity", "created_at", "disabled_at", "removed_at")
    list_select_related = ("tenant",)
    search_fields = ("url", "tenant__slug")
    exclude = ("sealed", "data_key")


@admin.register(NoticeCursor)
class NoticeCursorAdmin(ReadOnlyAdmin):
    """How far sources of notices were read."""

    list_display = ("tenant", "source", "position", "detail")
    list_select_related = ("tenant",)
    search_fields = ("source", "tenant__slug")


@admin.register(KnownDevice)
class KnownDeviceAdmin(ReadOnlyAdmin):
    """Browsers people have signed in with, by their marks' hashes."""

    list_display = ("user", "first_seen_at")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    exclude = ("digest",)
