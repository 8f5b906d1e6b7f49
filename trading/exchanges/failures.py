"""How a request to a venue can fail: it said no, nothing left, or nobody knows."""


class ApiError(Exception):
    """The venue answered with an error; carries its words."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Unreached(Exception):
    """Nothing left for the venue."""


class NoAnswer(Exception):
    """It left, and no answer of the venue's came back."""


FAILS = (ApiError, Unreached, NoAnswer)
