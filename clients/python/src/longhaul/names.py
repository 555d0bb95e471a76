"""Names: snake_case here, camelCase at the server."""

from __future__ import annotations

import inspect
from typing import Any, Mapping, TypeVar

Made = TypeVar("Made")


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def made_of(kind: type[Made], value: Mapping[str, Any], **given: Any) -> Made:
    """An instance, of an object that has what the class takes under the server's names; where something is `given`, of that."""
    names = inspect.signature(kind).parameters
    return kind(**{name: given[name] if name in given else value[camel(name)] for name in names})
