"""Votes and gates of a decision as lines of HTML."""

from trading.templatetags.gates import gate_lines, vote_lines


def test_a_vote_tells_its_score_and_an_abstention_why() -> None:
    told = vote_lines(
        [
            {"strategy": "trend", "abstained": "voted", "score": 0.123, "confidence": None},
            {"strategy": "<b>", "abstained": "no data", "score": None, "confidence": None},
        ]
    )

    assert told == (
        "<div>trend: score 0.123, confidence –</div>"
        '<div>&lt;b&gt;: <span class="text-secondary">no data</span></div>'
    )


def test_only_gates_that_were_asked_are_told() -> None:
    told = gate_lines(
        [
            {"name": "candidate", "verdict": "passed", "value": None, "limit": None},
            {"name": "score", "verdict": "refused", "value": 0.123, "limit": 1234.5},
            {"name": "model", "verdict": "not asked", "value": 1.0, "limit": 2.0},
        ]
    )

    assert told == (
        '<div><span class="passed">✓ candidate</span> – <span class="text-secondary">limit –</span></div>'
        '<div><span class="refused">✗ score</span> 0.123 <span class="text-secondary">limit 1,234</span></div>'
    )
