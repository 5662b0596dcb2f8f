"""What ran when."""

from shop_log import note, seen

__all__ = ["note", "seen"]
