"""What the shop does again and again."""

from functools import partial

from scheduler import DailyAt, Every, register
from shop_log import note


@register("refresh_prices", schedule=Every(seconds=1800, jitter=60), description="Ask the wholesaler")
def refresh_prices() -> None:
    note("refresh_prices")


@register("sweep", schedule=Every(seconds=7200))
def sweep() -> None:
    """Sweep the floor."""
    note("sweep")


@register("clear_carts", schedule=DailyAt(hour=3, minute=30))
def clear_carts() -> int:
    """Empty carts that nobody came back for."""
    note("clear_carts")
    return 3


@register("nightly", schedule=DailyAt(hour=2, minute=30))
def nightly() -> None:
    note("nightly")


@register("close_the_day", schedule=DailyAt(hour=23, minute=55))
def close_the_day() -> None:
    note("close_the_day")


@register("inventory", schedule=DailyAt(hour=12), enabled=False)
def inventory() -> None:
    note("inventory")


register("by hand", schedule=Every(seconds=60), enabled=False)(partial(note, "by hand"))
register("lambda", schedule=Every(seconds=60), enabled=False)(lambda: note("lambda"))
register("wanting", schedule=Every(seconds=60), enabled=False)(note)
register("on and on", schedule="always", enabled=False)(sweep)
