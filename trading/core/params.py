"""Frozen dataclass -> bounds -> record dtype -> JSON schema: parameters are declared once."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, field, fields, is_dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

import numpy as np

Params = TypeVar("Params")


class InvalidParams(ValueError):
    """Configuration outside its bounds; the text names field, value and what is accepted."""


def bound(
    default: float, *, low: float, high: float, step: float = 0.0, unit: str = "", help: str = ""
) -> Any:
    """A numeric parameter with its default and the closed interval it must stay in."""
    if not low <= default <= high:
        raise InvalidParams(f"default {default} is outside {low} … {high}")
    metadata = {"low": low, "high": high, "step": step, "unit": unit, "help": help}
    return field(default=default, metadata=metadata)


def group(cls: type[Any]) -> Any:
    """A nested group of parameters."""
    return field(default_factory=cls)


def record_dtype(cls: type[Any]) -> np.dtype:
    """The structured dtype of a parameter dataclass; int -> i8, float -> f8, groups nested."""
    return np.dtype([(f.name, _field_dtype(f)) for f in fields(cls)])


def _field_dtype(declared: Field[Any]) -> Any:
    if declared.default_factory is not MISSING:
        return record_dtype(declared.default_factory)  # type: ignore[arg-type]
    return "i8" if isinstance(declared.default, int) else "f8"


def to_record(params: Any) -> np.ndarray:
    """An array with one record of the parameters' values."""
    record = np.zeros(1, record_dtype(type(params)))
    _fill(record[0], params)
    return record


def _fill(record: np.void, params: Any) -> None:
    for declared in fields(params):
        value = getattr(params, declared.name)
        if is_dataclass(value):
            _fill(record[declared.name], value)
        else:
            record[declared.name] = value


def json_schema(cls: type[Any]) -> dict[str, Any]:
    """JSON Schema (2020-12) of a parameter dataclass."""
    properties = {}
    for declared in fields(cls):
        if declared.default_factory is not MISSING:
            properties[declared.name] = json_schema(declared.default_factory)  # type: ignore[arg-type]
            continue
        meta = declared.metadata
        properties[declared.name] = {
            "type": "integer" if isinstance(declared.default, int) else "number",
            "default": declared.default,
            "minimum": meta["low"],
            "maximum": meta["high"],
            "description": meta["help"],
        }
    return {"type": "object", "additionalProperties": False, "properties": properties}


def to_mapping(params: Any) -> dict[str, Any]:
    """Plain nested names and values, fit for JSON."""
    return dataclasses.asdict(params)


def params_hash(params: Any) -> str:
    """SHA-256 of the canonical JSON text of the parameters."""
    text = json.dumps(to_mapping(params), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def validate(cls: type[Params], values: Mapping[str, Any], *, path: str = "") -> Params:
    """Build ``cls`` from a mapping; absent names take their defaults.

    Raises:
        InvalidParams: an unknown name (with the nearest known one), a wrong type or a value
            outside its bounds.
    """
    if not isinstance(values, Mapping):
        raise InvalidParams(f"{path or 'parameters'}: must be an object, was {values!r}")
    known = {declared.name: declared for declared in fields(cls)}  # type: ignore[arg-type]
    chosen: dict[str, Any] = {}
    for name, value in values.items():
        where = f"{path}.{name}" if path else str(name)
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise InvalidParams(f"{where}: no such parameter; {hint}")
        chosen[name] = _checked(known[name], value, where)
    return cls(**chosen)


def _checked(declared: Field[Any], value: Any, where: str) -> Any:
    if declared.default_factory is not MISSING:
        return validate(declared.default_factory, value, path=where)  # type: ignore[arg-type]
    low, high = declared.metadata["low"], declared.metadata["high"]
    whole = isinstance(declared.default, int)
    kind = "a whole number" if whole else "a number"
    accepted = isinstance(value, int) if whole else isinstance(value, int | float)
    if isinstance(value, bool) or not accepted:
        raise InvalidParams(f"{where}: must be {kind} from {low} to {high}, was {value!r}")
    if not low <= value <= high:
        raise InvalidParams(f"{where}: must be from {low} to {high}, was {value!r}")
    return value if whole else float(value)
