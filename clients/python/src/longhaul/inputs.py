"""Makes dataclasses of inputs, by the annotation of a handler's second parameter."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import inspect
import types
import typing
from typing import Any, Callable, Literal, Mapping, Union, get_args, get_origin

from .names import camel
from .outcome import Fatal


def reader_of(handler: Callable[..., Any]) -> Callable[[object], object]:
    """What turns a job's input into what the handler takes: a dataclass where that is the annotation, the JSON as it is otherwise."""
    parameters = list(inspect.signature(handler).parameters.values())
    if len(parameters) < 2:
        raise TypeError(f"{handler.__name__} takes {len(parameters)} parameters. A handler takes two: ctx and input.")
    if inspect.iscoroutinefunction(handler):
        raise TypeError(f"{handler.__name__} is async. A handler is a plain function: it runs in a thread of its own.")
    annotation = parameters[1].annotation
    if isinstance(annotation, str):
        try:
            annotation = typing.get_type_hints(handler)[parameters[1].name]
        except NameError as error:
            raise TypeError(f"The annotation of {handler.__name__} cannot be resolved ({error}). Define its class in the module.") from error
    if not (isinstance(annotation, type) and dataclasses.is_dataclass(annotation)):
        return lambda value: value

    def read(value: object) -> object:
        try:
            return _made(annotation, value, "input")
        except _Mismatch as error:
            raise Fatal("INVALID_INPUT", str(error)) from None

    return read


class _Mismatch(Exception):
    pass


def _made(kind: Any, value: object, path: str) -> object:
    """The value as its annotation has it. What the annotation does not say is taken as it is."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _dataclass(kind, value, path)
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(parts, value, path)
    if origin is Literal:
        if value not in parts:
            raise _Mismatch(f"{path} is {value!r}, and has to be one of {', '.join(map(repr, parts))}.")
        return value
    if origin in (list, tuple, collections.abc.Sequence) or kind in (list, tuple):
        return _sequence(kind, origin, parts, value, path)
    if origin is dict or kind is dict:
        _expect(isinstance(value, dict), path, "an object", value)
        of = parts[1] if parts else Any
        return {key: _made(of, one, f"{path}.{key}") for key, one in typing.cast(Mapping[str, object], value).items()}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        try:
            return kind(value)
        except ValueError:
            raise _Mismatch(f"{path} is {value!r}, and has to be one of {', '.join(repr(one.value) for one in kind)}.") from None
    if kind is type(None):
        _expect(value is None, path, "null", value)
    elif kind is bool:
        _expect(isinstance(value, bool), path, "true or false", value)
    elif kind is str:
        _expect(isinstance(value, str), path, "a text", value)
    elif kind is int:
        whole = isinstance(value, (int, float)) and not isinstance(value, bool) and value == int(value)
        _expect(whole, path, "a whole number", value)
        return int(typing.cast(float, value))
    elif kind is float:
        _expect(isinstance(value, (int, float)) and not isinstance(value, bool), path, "a number", value)
        return float(typing.cast(float, value))
    return value


def _dataclass(kind: Any, value: object, path: str) -> object:
    """Fields are named as in the JSON, or in snake_case: `source_url` is `sourceUrl` there. What has no field is left out."""
    if not isinstance(value, dict):
        raise _Mismatch(f"{path} has to be an object.")
    hints = typing.get_type_hints(kind)
    given: dict[str, object] = {}
    for field in dataclasses.fields(kind):
        if not field.init:
            continue
        name = field.name if field.name in value else camel(field.name)
        if name in value:
            given[field.name] = _made(hints[field.name], value[name], f"{path}.{name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise _Mismatch(f"{path}.{name} is missing.")
    return kind(**given)


def _one_of(parts: tuple[Any, ...], value: object, path: str) -> object:
    if value is None and type(None) in parts:
        return None
    faults = []
    for part in parts:
        # What a null would have been tells nothing of another value's fault.
        if part is type(None):
            continue
        try:
            return _made(part, value, path)
        except _Mismatch as error:
            faults.append(error)
    raise faults[0]


def _sequence(kind: Any, origin: Any, parts: tuple[Any, ...], value: object, path: str) -> object:
    if not isinstance(value, list):
        raise _Mismatch(f"{path} has to be a list.")
    if (origin or kind) is tuple and parts and parts[-1] is not Ellipsis:
        if len(parts) != len(value):
            raise _Mismatch(f"{path} has to be a list of {len(parts)}.")
        return tuple(_made(part, one, f"{path}.{n}") for n, (part, one) in enumerate(zip(parts, value)))
    of = parts[0] if parts else Any
    made = [_made(of, one, f"{path}.{n}") for n, one in enumerate(value)]
    return tuple(made) if (origin or kind) is tuple else made


def _expect(holds: bool, path: str, what: str, value: object) -> None:
    if not holds:
        raise _Mismatch(f"{path} is {str(value)[:100]!r}, and has to be {what}.")
