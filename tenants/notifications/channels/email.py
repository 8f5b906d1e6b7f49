"""E-mail: plain text with a simple HTML twin, through Django's mail backend."""

from smtplib import SMTPException

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from tenants.models import User
from tenants.notifications.channels.protocol import Message, Send, SendFailed
from tenants.notifications.outbox import USER


class Email:
    """Letters to people by their account's address."""

    def reach(self, recipient: str) -> Send:
        """A member, or one who has just left."""
        user = User.objects.filter(id=recipient.removeprefix(USER), is_active=True).first()
        if user is None:
            raise SendFailed("this person has no account any more", is_final=True)
        address = user.email
        return lambda message: send_letter(address, message)


def send_letter(address: str, message: Message) -> None:
    """One letter.

    Raises:
        SendFailed: the mail server did not take it.
    """
    again = f" (reminder {message.repeats})" if message.repeats else ""
    letter = EmailMultiAlternatives(
        subject=f"NovaPulse: {message.title}{again}",
        body=render_to_string("tenants/email/notice.txt", {"m": message}),
        to=[address],
        headers={"Message-ID": f"<{message.delivery}.{message.repeats}@novapulse>"},
    )
    page = render_to_string("tenants/email/notice.html", {"m": message})
    letter.attach_alternative(page, "text/html")
    try:
        letter.send()
    except (SMTPException, OSError) as error:
        raise SendFailed(f"the mail server: {error}") from error
