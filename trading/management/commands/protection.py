"""What guards an account while no engine does: shown, or chosen for the engine's next start."""

from tenants.models import ExchangeAccount
from trading import operations
from trading.management.choosing import ChoosingCommand


class Command(ChoosingCommand):
    """Without ``--choose`` it only shows."""

    help = (
        "Show or choose an account's protection. STOPS: resting stops while holding. SWITCH: the same, and "
        "Kraken's dead-man switch while nothing but untouched entries rests, so that they are cancelled "
        "within a minute of the engine's death. It holds from the engine's next start on. "
        "Exit codes: 0 done, 2 not found, 4 refused."
    )
    choice, choices = "protection", ExchangeAccount.Protection
    operation, refused = staticmethod(operations.choose_protection), operations.ProtectionRefused
