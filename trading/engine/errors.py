"""Outcomes of an order as errors, and the loss of leadership."""


class Refused(Exception):
    """The venue said no; carries its words. Recorded, told, not retried."""


class NotSent(Exception):
    """We are sure nothing left; may be retried until the deadline."""


class OutcomeUnknown(Exception):
    """It left, without a clear answer; resolved by client order id, never resent blindly."""


class NoSight(Exception):
    """The venue does not say how the account stands; asked again later."""


class NotLeader(Exception):
    """The fence said no: another engine leads this account."""


class CannotTrade(Exception):
    """Something must be put right by a person before this account can trade; one clear sentence."""


class IllegalTransition(Exception):
    """An order event that cannot follow the order's state; quarantined, never guessed."""
