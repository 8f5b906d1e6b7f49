"""What is said of one thing that was looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a finding is meant."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``workspace`` is empty where it concerns the installation."""

    check: str
    verdict: Verdict
    words: str
    workspace: str = ""

    @property
    def told(self) -> str:
        """The words, after the workspace they concern."""
        return f"{self.workspace}: {self.words}" if self.workspace else self.words
