"""A second factor and the sign of it in a session, by the way people take."""

import time

from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.test import Client

from tenants.models import User

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def give_second_factor(user: User) -> None:
    """An authenticator app."""
    totp.TOTP.activate(user, SECRET)


def step_up(client: Client, user: User) -> Client:
    """The person types the app's code."""
    give_second_factor(user)
    cache.clear()  # a code counts once; another test may have used this one
    for _ in range(2):  # its thirty seconds may end between typing and reading
        code = totp.format_hotp_value(totp.hotp_value(SECRET, int(time.time()) // 30))
        answer = client.post("/accounts/2fa/reauthenticate/", {"code": code})
        if answer.status_code == 302:
            return client
    raise AssertionError(answer.content)
