"""User, Tenant, Membership, Invitation."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from tenants.roles import Role
from tenants.scoping import TenantModel


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person; signs in by e-mail address."""

    email = models.EmailField(unique=True)
    is_staff = models.BooleanField(default=False, help_text="may open the admin site")
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.email


class Tenant(models.Model):
    """A workspace: one customer with accounts, bots and engines of its own."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE"
        WINDING_DOWN = "WINDING_DOWN"
        SUSPENDED = "SUSPENDED"
        CLOSED = "CLOSED"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE)
    status_reason = models.CharField(
        max_length=120, blank=True, help_text="why it is not active, as its members read it"
    )
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Only what is not active has a reason, and that it must have."""
        if self.status == self.Status.ACTIVE:
            self.status_reason = ""
        elif not self.status_reason.strip():
            raise ValidationError({"status_reason": "Say why; its members read it."})


class Membership(TenantModel):
    """A person's role in a workspace."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=6, choices=[(role.value, role.value) for role in Role])
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="membership_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role}"


class Invitation(TenantModel):
    """A role kept for an address, until its letter's link is used or no longer holds."""

    class State(models.TextChoices):
        OPEN = "OPEN"
        ACCEPTED = "ACCEPTED"
        DECLINED = "DECLINED"
        REVOKED = "REVOKED"
        EXPIRED = "EXPIRED"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(help_text="in lower case, as people sign in")
    role = models.CharField(max_length=6, choices=[(role.value, role.value) for role in Role])
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the link's token, in hex")
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(
        null=True, blank=True, help_text="when the mail server took the letter with this link"
    )
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "digest"], name="invitation_digest"),
            models.UniqueConstraint(
                fields=["tenant", "email"],
                name="invitation_open_once",
                condition=models.Q(state="OPEN"),
            ),
            models.CheckConstraint(
                condition=models.Q(state="OPEN", settled_at=None)
                | (~models.Q(state="OPEN") & models.Q(settled_at__isnull=False)),
                name="invitation_settled_or_open",
            ),
        ]
        indexes = [
            models.Index(fields=["digest"], name="invitation_by_digest"),
            models.Index(
                fields=["expires_at"], name="invitation_ending", condition=models.Q(state="OPEN")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} as {self.role}"
