"""What is refused, in one sentence: the library's words, with what was sent and what is accepted."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

PLAIN = frozenset({"required", "null", "blank", "empty", "not_a_list", "not_a_dict"})  # say it all
LONGEST = 80


def tell_in_full(
    fields: Mapping[Any, Any], data: Mapping[Any, Any], detail: Mapping[Any, Any]
) -> dict[Any, Any]:
    """The errors of a body, each with its value; never with that of a field that is only written."""
    return {
        name: _of(fields[name], data.get(name), words) if name in fields else words
        for name, words in detail.items()
    }


def _of(field: Any, value: Any, words: Any) -> Any:
    if isinstance(words, Mapping):  # of a list by place, of an object by name
        return {where: _of(field.child, value[where], inner) for where, inner in words.items()}
    return [_sentence(field, value, one) for one in words]


def _sentence(field: serializers.Field[Any, Any, Any, Any], value: Any, words: Any) -> str:
    text, told = str(words), f"{value!r:.{LONGEST}}"
    if isinstance(field, serializers.ChoiceField) and words.code == "invalid_choice":
        accepted = ", ".join(str(one) for one in field.choices)
        return f"{told} is not accepted; accepted are {accepted}."
    if field.write_only or words.code in PLAIN or str(value) in text:
        return text
    return f"{text.rstrip('.')}, was {told}."
