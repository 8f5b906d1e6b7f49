"""Forms of workspaces, teams, keys and notifications."""

from typing import Any

from django import forms
from django.utils.text import slugify

from tenants import queries
from tenants.models import Notice
from tenants.roles import Role, Scope

INPUT = {"class": "form-control"}


class WorkspaceForm(forms.Form):
    """Name of a new workspace; its short name follows from it."""

    name = forms.CharField(
        max_length=80,
        label="Workspace name",
        help_text="Your company, your desk, or just your name.",
        widget=forms.TextInput(attrs={**INPUT, "autofocus": True, "placeholder": "Acme Trading"}),
    )

    def clean_name(self) -> str:
        """A name with at least one letter or digit."""
        name: str = self.cleaned_data["name"].strip()
        if not slugify(name):
            raise forms.ValidationError("Use at least one letter or digit.")
        return name

    def free_slug(self) -> str:
        """The first short name like the workspace's name that nobody has."""
        base = slugify(self.cleaned_data["name"])[:32].strip("-")
        slug, number = base, 2
        while queries.is_slug_taken(slug):
            slug, number = f"{base}-{number}", number + 1
        return slug


class InvitationForm(forms.Form):
    """An address, and the role to give whoever reads its letters."""

    email = forms.EmailField(widget=forms.EmailInput(attrs=INPUT), label="E-mail address")
    role = forms.ChoiceField(
        choices=[(role.value, role.value.title()) for role in Role],
        initial=Role.VIEWER.value,
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def clean_email(self) -> str:
        """As people sign in."""
        return str(self.cleaned_data["email"]).lower()


class KeyForm(forms.Form):
    """What a new API key may do, and for how long."""

    label = forms.CharField(
        max_length=60,
        widget=forms.TextInput(attrs={**INPUT, "placeholder": "Watchdog"}),
        help_text="What will use it.",
    )
    scope = forms.ChoiceField(
        choices=[(one.value, one.value.title()) for one in Scope],
        initial=Scope.READ.value,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=3650,
        label="Days until it expires",
        help_text="Empty: never.",
        widget=forms.NumberInput(attrs=INPUT),
    )


class ForgetfulInput(forms.TextInput):
    """Does not show again what was typed."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Always empty."""
        return super().get_context(name, None, attrs)


class ExchangeKeyForm(forms.Form):
    """A key of a venue; what was typed is never shown again."""

    key = forms.CharField(
        max_length=200,
        label="API key",
        widget=ForgetfulInput(attrs={**INPUT, "autocomplete": "off", "spellcheck": "false"}),
        help_text="As the venue shows it; only its last four characters are shown here later.",
    )
    secret = forms.CharField(
        max_length=200,
        label="Private key",
        widget=forms.PasswordInput(attrs={**INPUT, "autocomplete": "off"}),
        help_text="Sealed at once; nobody can read it back, here or through the API.",
    )


class WishesForm(forms.Form):
    """What a member wants to be told, and how."""

    inbox_kinds = forms.MultipleChoiceField(
        choices=Notice.Kind.choices,
        required=False,
        label="In the inbox",
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    email_kinds = forms.MultipleChoiceField(
        choices=Notice.Kind.choices,
        required=False,
        label="By e-mail",
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    least_severity = forms.TypedChoiceField(
        choices=Notice.Severity.choices,
        coerce=int,
        label="By e-mail only from",
        help_text="The daily summary comes whatever this says.",
    )
    time_zone = forms.CharField(
        max_length=60, label="Time zone", help_text="Such as Europe/Berlin; of the quiet hours."
    )
    quiet_from = forms.TimeField(
        required=False,
        label="Quiet from",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    quiet_until = forms.TimeField(
        required=False,
        label="Quiet until",
        help_text="Letters wait until then; what is critical, and security, does not.",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )

    def changed_wishes(self) -> dict[str, Any]:
        """For the operation."""
        told = dict(self.cleaned_data)
        for name in ("inbox_kinds", "email_kinds"):
            told[name] = frozenset(told[name])
        return told


class WebhookForm(forms.Form):
    """An address of one's own that is told."""

    url = forms.CharField(
        max_length=500,
        label="Address",
        help_text="https:// of a public host; redirects are not followed.",
        widget=forms.TextInput(attrs={**INPUT, "placeholder": "https://example.com/novapulse"}),
    )
    kinds = forms.MultipleChoiceField(
        choices=Notice.Kind.choices,
        initial=[kind for kind in Notice.Kind.values if kind != Notice.Kind.FILL],
        label="It is told of",
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    least_severity = forms.TypedChoiceField(
        choices=Notice.Severity.choices, coerce=int, label="Only from"
    )
