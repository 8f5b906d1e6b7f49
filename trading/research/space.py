"""Parameters to vary: ``name=low:high:step``, ``name=a,b,c`` or ``name`` alone for its bounds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from math import prod
from typing import Any

from trading.core.config.pipeline import PipelineParams
from trading.core.params import InvalidParams, to_mapping, validate

Number = int | float
MOST_VALUES = 10_001
FORMS = "accepted is name=low:high:step, name=low:high, name=a,b,c or name alone for its bounds"


class InvalidSpace(InvalidParams):
    """A parameter to vary that cannot be; the text names it and what is accepted."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One parameter and its values; without values, every number from low to high."""

    name: str
    values: tuple[Number, ...]
    low: Number
    high: Number

    def to_json(self) -> dict[str, Any]:
        """Plain names and values."""
        values = list(self.values)
        return {"name": self.name, "values": values, "low": self.low, "high": self.high}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Dimension":
        """What ``to_json`` told."""
        return cls(**{**told, "values": tuple(told["values"])})


@dataclass(frozen=True, slots=True)
class _Declared:
    """Bounds of one parameter as its dataclass declares them."""

    whole: bool
    low: Number
    high: Number
    step: Number


def declared_names() -> list[str]:
    """Every parameter's dotted name."""
    return list(_declared(PipelineParams, ""))


def _declared(cls: type[Any], prefix: str) -> dict[str, _Declared]:
    found: dict[str, _Declared] = {}
    for one in fields(cls):
        name = f"{prefix}{one.name}"
        if one.default_factory is not MISSING:
            found |= _declared(one.default_factory, f"{name}.")  # type: ignore[arg-type]
            continue
        whole = isinstance(one.default, int)
        step = one.metadata["step"] or (1 if whole else 0)
        found[name] = _Declared(whole, one.metadata["low"], one.metadata["high"], step)
    return found


def list_parameters() -> list[dict[str, Any]]:
    """Every parameter by its dotted name, with default, bounds, step, unit and meaning."""
    return list(_listed(PipelineParams, ""))


def _listed(cls: type[Any], prefix: str) -> Iterator[dict[str, Any]]:
    for one in fields(cls):
        name = f"{prefix}{one.name}"
        if one.default_factory is not MISSING:
            yield from _listed(one.default_factory, f"{name}.")  # type: ignore[arg-type]
        else:
            yield {"name": name, "default": one.default, **one.metadata}


def parse_dimension(text: str) -> Dimension:
    """Read one ``--param``.

    Raises:
        InvalidSpace: an unknown name (with the nearest known one), no number, or a value outside
            the parameter's bounds.
    """
    name, given, values = (part.strip() for part in text.partition("="))
    known = _declared(PipelineParams, "")
    if name not in known:
        near = get_close_matches(name, known, n=1) or [
            full for full in known if full.endswith(f".{name}")
        ]
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
        raise InvalidSpace(f"{name or text!r}: no such parameter; {hint}")
    declared = known[name]
    if not given:
        return _spread(
            name, Decimal(str(declared.low)), Decimal(str(declared.high)), None, declared
        )
    if ":" not in values:
        chosen = tuple(_checked(name, part, declared) for part in values.split(","))
        if len(set(chosen)) < len(chosen):
            raise InvalidSpace(f"{name}: every value once, was {values}")
        return Dimension(name, chosen, min(chosen), max(chosen))
    parts = values.split(":")
    if len(parts) not in (2, 3):
        raise InvalidSpace(f"{text!r}: {FORMS}")
    low, high, *step = (_decimal(name, part) for part in parts)
    return _spread(name, low, high, step[0] if step else None, declared)


def _spread(
    name: str, low: Decimal, high: Decimal, step: Decimal | None, declared: _Declared
) -> Dimension:
    first, last = (_checked(name, str(edge), declared) for edge in (low, high))
    if low > high:
        raise InvalidSpace(f"{name}: low must not be above high, was {low}:{high}")
    step = Decimal(str(declared.step)) if step is None else step
    if step < 0 or (step == 0 and declared.whole):
        raise InvalidSpace(f"{name}: the step must be above 0, was {step}")
    if step == 0:
        return Dimension(name, (), first, last)
    count = int((high - low) / step) + 1
    if count > MOST_VALUES:
        raise InvalidSpace(f"{name}: {count:,} values, at most {MOST_VALUES:,}; take a larger step")
    chosen = tuple(_checked(name, str(low + k * step), declared) for k in range(count))
    return Dimension(name, chosen, chosen[0], chosen[-1])


def _decimal(name: str, text: str) -> Decimal:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite():
        raise InvalidSpace(f"{name}: {text!r} is no number; {FORMS}")
    return value


def _checked(name: str, text: str, declared: _Declared) -> Number:
    value = _decimal(name, text)
    if declared.whole and value != value.to_integral_value():
        raise InvalidSpace(
            f"{name}: must be a whole number from {declared.low} to {declared.high}, was {text}"
        )
    number = int(value) if declared.whole else float(value)
    if not declared.low <= number <= declared.high:
        raise InvalidSpace(f"{name}: must be from {declared.low} to {declared.high}, was {text}")
    return number


def size_of_grid(space: Sequence[Dimension]) -> int:
    """Points of the grid; 0 where a parameter has no steps."""
    return prod(len(dimension.values) for dimension in space)


def with_values(params: PipelineParams, values: Mapping[str, Number]) -> PipelineParams:
    """The parameters with some of them changed, by dotted name.

    Raises:
        InvalidParams: the values do not go together, or with the others.
    """
    told = to_mapping(params)
    for name, value in values.items():
        *groups, last = name.split(".")
        target = told
        for group in groups:
            target = target[group]
        target[last] = value
    return validate(PipelineParams, told)


def flatten(told: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted names of a nested mapping of parameters."""
    flat: dict[str, Any] = {}
    for name, value in told.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat
