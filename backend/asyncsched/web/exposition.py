"""Numbers as Prometheus reads them. Needs the extra ``metrics``: import this where it is needed only."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from asyncsched.listeners.metrics import Histogram, MetricsListener


def exposition(numbers: MetricsListener | None, *, leader: bool, accept: str) -> tuple[bytes, str]:
    """Return *numbers*, and all that is in the library's default registry, as text and its content type.

    *accept* is the client's Accept header: OpenMetrics for who asks for it, else the plain text
    format. This takes half a millisecond for each task, so do not call it on the loop.
    """
    try:
        encode, content_type = choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is none
        encode, content_type = choose_encoder("")
    return encode(_Everything(numbers, leader=leader)), content_type


class _Everything(Collector):
    """The default registry, where projects put metrics of their own, and ours beside it.

    Ours are not registered there: a second scheduler in the process would be a duplicate, and one
    that has ended would stay for ever.
    """

    def __init__(self, numbers: MetricsListener | None, *, leader: bool) -> None:
        self._numbers = numbers
        self._leader = leader

    def collect(self) -> Iterator[Metric]:
        yield from REGISTRY.collect()
        yield GaugeMetricFamily("asyncsched_leader", "1 in a process that schedules, else 0.", value=self._leader)
        if self._numbers:
            yield from _families(self._numbers)


def _families(numbers: MetricsListener) -> Iterator[Metric]:
    restarts = (((name,), count) for name, count in numbers.restarts.items())
    yield _counter("runs", "Runs that ended, by how.", ("task", "status"), numbers.runs.items())
    yield _histogram("run_duration_seconds", "How long runs took.", numbers.durations)
    yield _histogram("lateness_seconds", "From when a run was due, jitter included, to its start.", numbers.lateness)
    yield _counter("skipped", "Occurrences that did not run, by why.", ("task", "reason"), numbers.skipped.items())
    yield _counter("restarts", "Coroutines of tasks and services that ended and started again.", ("task",), restarts)
    yield _histogram("loop_stall_seconds", "Times the event loop stood still, by who held it up.", numbers.stalls)


def _counter(
    name: str, help_: str, labels: tuple[str, ...], counts: Iterable[tuple[tuple[str, ...], int]]
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"asyncsched_{name}", help_, labels=labels)
    for values, count in list(counts):  # at one go: the loop may add to them
        family.add_metric(values, count)
    return family


def _histogram(name: str, help_: str, histograms: Mapping[str, Histogram]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(f"asyncsched_{name}", help_, labels=("task",))
    for task, histogram in histograms.items():
        bounds = [*(str(float(bound)) for bound in histogram.bounds), "+Inf"]
        family.add_metric((task,), list(zip(bounds, histogram.cumulative, strict=True)), histogram.sum)
    return family
