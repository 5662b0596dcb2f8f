"""Tasks with all that a task may have."""

from datetime import timedelta

from asyncsched import Cron, DailyAt, Every, Retry, register


@register("prices", Every(seconds=7_200, jitter=5), timeout=20)
async def refresh_prices() -> None:
    """Ask the wholesaler."""


@register("six_hours", Every(seconds=21_600, offset=1_020), catch_up_window=timedelta(hours=1))
def six_hours() -> None:
    """Look at something, by the grid."""


@register("nightly", DailyAt(hour=2, minute=30), retry=Retry(attempts=4), run_on_start=True)
def nightly() -> None:
    """Add up the day's orders."""


@register("quarters", Cron("*/15 8-10 * * MON-FRI"), overlap="allow", catch_up="none")
def quarters() -> None:
    """Tell how it goes."""


@register("either", Cron("0 9 1,15 * MON"))
def either() -> None:
    """On the 1st, on the 15th, and on Mondays."""


@register("fridays", Cron("0 7 15 * FRI#2,TUE"))
def fridays() -> None:
    """On the 15th, on the second Friday, and on Tuesdays."""


@register("odd_days", Cron("5/20 6 */2 JAN-JUN SAT,SUN"))
def odd_days() -> None:
    """Look at weekends."""


@register("month_end", Cron("59 23 L * *"))
def month_end() -> None:
    """Close the month."""


@register("by_the_second", Cron("5,35 0 10 * * *"))
def by_the_second() -> None:
    """Look twice."""


@register("there", DailyAt(hour=7, second=30, tz="Europe/Lisbon"), enabled_when=lambda: True)
def there() -> None:
    """Look elsewhere."""


@register("paused", DailyAt(hour=3), enabled=False)
def paused() -> None:
    """Rest."""


@register("each", Every(seconds=21_600), scope="replica")
def each() -> None:
    """Look around."""
