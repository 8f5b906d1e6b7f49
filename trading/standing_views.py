"""Whether everything is well: what a person must look at, proofs of books and logs, and alerts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from tenants.auth import permission_required
from trading.queries.findings import Verdict
from trading.queries.standing import examine_rows, newest_alerts, newest_proofs, newest_walks

ALERTS_SHOWN = 20
WORST_FIRST = (Verdict.FAIL, Verdict.WARN, Verdict.OK)


@require_GET
@never_cache
@permission_required("view")
def standing(request: HttpRequest) -> HttpResponse:
    """The workspace's own part of what ``doctor`` looks at."""
    found = sorted(examine_rows(), key=lambda one: WORST_FIRST.index(one.verdict))
    shown = {
        "found": found,
        "worst": found[0].verdict if found else Verdict.OK,
        "bad": sum(one.verdict is not Verdict.OK for one in found),
        "proofs": newest_proofs(),
        "walks": newest_walks(),
        "alerts": newest_alerts(most=ALERTS_SHOWN),
        "at": timezone.now(),
    }
    return render(request, "trading/standing.html", shown)
