"""What the API answers of a team, of invitations into it, and of API keys."""

from rest_framework import serializers

from tenants.models import Invitation
from tenants.roles import Role, Scope
from trading.api.answers import Answer, Moment

Text = serializers.CharField
ROLES = [role.value for role in Role]
SCOPES = [scope.value for scope in Scope]


class Member(Answer):
    """A person of the workspace."""

    member = serializers.IntegerField(source="id")
    email = Text(source="user.email")
    role = serializers.ChoiceField(choices=ROLES)
    joined_at = Moment(source="created_at")


class Members(Answer):
    """All of them, the oldest first."""

    items = Member(many=True)


class Invited(Answer):
    """A role kept for an address; the link is in the letter alone."""

    invitation = serializers.UUIDField(source="id")
    email = Text()
    role = serializers.ChoiceField(choices=ROLES)
    state = serializers.ChoiceField(choices=Invitation.State.values)
    invited_by = Text(source="invited_by.email")
    created_at = Moment()
    sent_at = Moment(allow_null=True, help_text="null: no mail server took the letter yet")
    expires_at = Moment()
    settled_at = Moment(allow_null=True)


class Invitations(Answer):
    """The open ones, the newest first."""

    items = Invited(many=True)


class IssuedKey(Answer):
    """An API key as it is told: never the key itself."""

    api_key = serializers.UUIDField(source="id")
    label = Text()  # type: ignore[assignment]  # DRF's own property is for forms
    scope = serializers.ChoiceField(choices=SCOPES)
    hint = Text(help_text="how it begins")
    user = Text(source="user.email", help_text="for whom it acts")
    created_at = Moment()
    expires_at = Moment(allow_null=True)
    revoked_at = Moment(allow_null=True)
    last_used_at = Moment(allow_null=True, help_text="to the minute")


class NewKey(IssuedKey):
    """The same, and once the key itself."""

    secret = Text(allow_null=True, help_text="shown once; null where a request is answered again")


class IssuedKeys(Answer):
    """All keys, also revoked and expired ones, the newest first."""

    items = IssuedKey(many=True)
