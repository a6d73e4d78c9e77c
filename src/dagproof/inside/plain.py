"""Frozen data that goes through JSON: written by one process, read by another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

P = TypeVar("P", bound="Plain")


class Plain:
    """Data that can be written as JSON and read back; a field that JSON lacks has its default."""

    def to_json(self) -> dict[str, Any]:
        """Return the data as values that JSON knows."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]  # all that inherit from it are dataclasses

    @classmethod
    def from_json(cls: type[P], data: Mapping[str, Any]) -> P:
        """Read what :meth:`to_json` gave.

        Raises:
            KeyError: it has a field that this class does not have.
        """
        kinds = _kinds(cls)  # type: ignore[arg-type]  # a class is hashable
        return cls(**{name: _read(kinds[name], value) for name, value in data.items()})


@cache
def _kinds(cls: type) -> Mapping[str, Any]:
    return get_type_hints(cls)


def _read(kind: Any, value: Any) -> Any:
    """Return `value`, which JSON gave, as the type that a field is annotated with."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return None if value is None else _read(next(part for part in parts if part is not NoneType), value)
    if origin is tuple:
        kinds = [parts[0]] * len(value) if parts[-1] is ... else parts
        return tuple(_read(part, one) for part, one in zip(kinds, value, strict=True))
    if origin is Mapping:
        return {key: _read(parts[1], one) for key, one in value.items()}
    return kind.from_json(value) if isinstance(kind, type) and issubclass(kind, Plain) else value
