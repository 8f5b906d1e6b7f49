"""The bell in the frame of every page."""

from typing import Any

from django import template
from django.db import transaction
from django.template.context import RequestContext

from tenants.notifications.inbox import count_unread

register = template.Library()


@register.inclusion_tag("tenants/_bell.html", takes_context=True)
def bell(context: RequestContext) -> dict[str, Any]:
    """How many notifications of the workspace this person has not read."""
    # The page of a refusal is made when nothing may be asked any more.
    if not transaction.get_connection().in_atomic_block or transaction.get_rollback():
        return {"unread": 0}
    return {"unread": count_unread(user_id=context["request"].user.pk)}
