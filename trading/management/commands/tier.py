"""An account's standing at Kraken: shown, or chosen for the engine's next start."""

from tenants.models import ExchangeAccount
from trading import operations
from trading.management.choosing import ChoosingCommand


class Command(ChoosingCommand):
    """Without ``--choose`` it only shows."""

    help = (
        "Show or choose an account's tier at Kraken, which decides how often it may place, amend and "
        "cancel orders and ask for anything. STARTER, where nobody chose, is never too much. It holds "
        "from the engine's next start on. Exit codes: 0 done, 2 not found, 4 refused."
    )
    choice, choices = "tier", ExchangeAccount.Tier
    operation, refused = staticmethod(operations.choose_tier), operations.TierRefused
