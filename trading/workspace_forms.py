"""Forms of the workspace: favourites, settings, starting over on paper."""

from django import forms

from trading.core.config.profiles import PROFILES
from trading.marketdata.names import InvalidSymbol, parse_symbol
from trading.marketdata.timeframes import COMMON


class FavoriteForm(forms.Form):
    """A pair."""

    pair = forms.CharField(max_length=32)

    def clean_pair(self) -> str:
        """As pairs are written."""
        try:
            return parse_symbol(self.cleaned_data["pair"])
        except InvalidSymbol as error:
            raise forms.ValidationError(str(error)) from None


class SettingsForm(forms.Form):
    """What a workspace is set to."""

    based_on = forms.IntegerField(min_value=0, widget=forms.HiddenInput())
    name = forms.CharField(max_length=80, label="Name of the workspace")
    bot_profile = forms.ChoiceField(
        choices=[(name, name.replace("_", " ").capitalize()) for name in PROFILES],
        label="Profile of a new bot",
    )
    bot_timeframe = forms.ChoiceField(
        choices=[(name, name) for name in COMMON], label="Timeframe of a new bot"
    )
    paper_cash = forms.DecimalField(
        max_digits=20, decimal_places=8, label="Paper money of a new account"
    )


class ResetForm(forms.Form):
    """How much paper money there is from now on."""

    cash = forms.DecimalField(
        max_digits=20,
        decimal_places=8,
        min_value=1,
        max_value=10**12,
        label="Paper money from now on",
    )
