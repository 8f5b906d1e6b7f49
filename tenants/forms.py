"""Forms of workspaces and teams."""

from typing import Any

from django import forms
from django.utils.text import slugify

from tenants import queries
from tenants.models import User
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


class MemberForm(forms.Form):
    """A person with an account, and the role to give."""

    email = forms.EmailField(widget=forms.EmailInput(attrs=INPUT), label="E-mail address")
    role = forms.ChoiceField(
        choices=[(role.value, role.value.title()) for role in Role],
        initial=Role.VIEWER.value,
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def clean_email(self) -> str:
        """The address of somebody who has signed up already."""
        email: str = self.cleaned_data["email"].lower()
        self.user = User.objects.filter(email=email, is_active=True).first()
        if self.user is None:
            raise forms.ValidationError("Nobody with this address has signed up yet.")
        return email


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
