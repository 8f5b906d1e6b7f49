"""Why it traded, or not: decisions page by page, one of them gate by gate, and the sentences alone."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.views import ApiView
from trading.api import decision_answers as answers
from trading.api.filtering import ACCOUNT, BOT, PAIR, SPAN, checked
from trading.api.paging import PAGE, limit_of, place_of
from trading.api.schemas import answers as told
from trading.filters import DecisionFilter, write_place
from trading.models import Decision as Stored
from trading.queries import decisions as queries

FILTERS = (
    *PAGE, ACCOUNT, BOT, PAIR,
    OpenApiParameter("stage", {"type": "string", "enum": list(queries.STAGES)}),
    OpenApiParameter("reason", {"type": "string", "enum": list(queries.REASONS)}),
    *SPAN,
)  # fmt: skip


class _List(ApiView):
    """Decisions, newest bar first."""

    needs: ClassVar = {"GET": "view"}
    row: ClassVar[Any]

    def page(self, request: Request) -> Response:
        """The decisions that are wanted, and where to go on."""
        limit, before = limit_of(request), place_of(request, of=int)
        form = checked(DecisionFilter(request.query_params))
        found = queries.list_decisions(form.sought, before=before, most=limit + 1)
        shown = found[:limit]
        more = write_place(shown[-1].place) if len(found) > limit else None
        return Response({"items": self.row(shown, many=True).data, "next": more})


class Decisions(_List):
    """What was decided on each bar."""

    row = answers.Decision

    @told("List decisions, also those that were no", answers.Decisions, name="list_decisions",
          parameters=FILTERS, problems=(400,))  # fmt: skip
    def get(self, request: Request) -> Response:
        return self.page(request)


class Thoughts(_List):
    """The sentences alone."""

    row = answers.Thought

    @told("List what was thought on each bar, in sentences", answers.Thoughts,
          name="list_thoughts", parameters=FILTERS, problems=(400,))  # fmt: skip
    def get(self, request: Request) -> Response:
        return self.page(request)


class Decision(ApiView):
    """One decision."""

    needs: ClassVar = {"GET": "view"}

    @told("Read a decision: gates in order, votes, the book, the smallest change",
          answers.Explained, problems=(404,))  # fmt: skip
    def get(self, request: Request, decision_id: int) -> Response:
        try:
            found = queries.get_decision(decision_id=decision_id)
        except Stored.DoesNotExist:
            raise NotFound(f"no decision {decision_id} in this workspace") from None
        return Response(answers.Explained(_whole(found)).data)


def _whole(found: queries.Explained) -> dict[str, Any]:
    words = found.told.words
    parts = {name: words.get(name, {}) for name in ("book", "sized", "features")}
    return {
        "row": found.told.row,
        "words": words,
        "refusal": found.told.refusal,
        "gates": found.gates,
        "smallest_change": found.change,
        "timeframes": words.get("timeframes", []),
        "earlier": found.earlier,
        "later": found.later,
        **parts,
    }
