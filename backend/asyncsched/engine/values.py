"""Values that the engine makes by the thousand a second."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if not TYPE_CHECKING:

    def value(*, frozen, slots, kw_only):
        """Make a dataclass that is frozen as far as the type checker goes, which sees ``dataclass`` itself.

        At run time nothing stands in the way of changing it: that would triple what making one costs.
        """
        return dataclass(slots=slots, kw_only=kw_only, unsafe_hash=True)

else:
    from dataclasses import dataclass as value

__all__ = ["value"]
