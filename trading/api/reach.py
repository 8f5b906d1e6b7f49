"""Who may ask an operation, as the published schema tells it."""

from typing import Any

from drf_spectacular.openapi import AutoSchema

from tenants.roles import Permission

REACH = {
    Permission.VIEW: "For members, and keys of any scope.",
    Permission.TRADE: "For owners and traders, and keys of scope `trade` or `admin`.",
    Permission.MANAGE: "For owners, and keys of scope `admin`.",
}
STEP_UP = "A session gives its second factor first."


class ReachSchema(AutoSchema):
    """The description ends with who may; ``needs`` of the view is what is enforced."""

    def get_description(self) -> str:  # type: ignore[override]  # the library's own takes no more
        """What the endpoint is, and for whom."""
        words = [str(super().get_description() or "")]
        view: Any = self.view
        needs = getattr(view, "needs", {}).get(self.method)  # a view of the library has none
        if needs is not None:
            words.append(REACH[Permission(needs)])
        if self.method in getattr(view, "needs_step_up", ()):  # idem
            words.append(STEP_UP)
        return " ".join(words)
