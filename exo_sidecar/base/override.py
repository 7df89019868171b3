"""`override` for Python 3.11, which has none: a mark for the type checker that costs nothing at start.

`typing_extensions` has one too, but importing it takes longer than a hook's whole budget allows.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from typing_extensions import override as override  # noqa: PLC0414 - the form that exports the name
else:
    Method = TypeVar("Method", bound=Callable)

    def override(method: Method) -> Method:
        """Return `method`: it is meant to replace one of a base class."""
        return method
