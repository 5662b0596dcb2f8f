"""Values that the engine makes by the thousand a second."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:
    Value = TypeVar("Value")

    def value(*, frozen: bool, slots: bool, kw_only: bool) -> Callable[[type[Value]], type[Value]]:
        """Make a dataclass that is frozen as far as the type checker goes, which sees ``dataclass`` itself.

        At run time nothing stands in the way of changing it: that would triple what making one costs.
        """
        return dataclass(slots=slots, kw_only=kw_only, unsafe_hash=True)


__all__ = ["value"]
