"""Numbers as Prometheus reads them. Needs the extra ``metrics``: import this where it is needed only."""

import platform
from collections.abc import Iterable, Iterator, Mapping

import django
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from asyncsched import __version__
from asyncsched.listeners.metrics import Histogram, MetricsListener

BUILD = {"version": __version__, "python": platform.python_version(), "django": django.get_version()}


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
        yield _gauge("build_info", "Always 1; what runs here.", tuple(BUILD), [(tuple(BUILD.values()), 1)])
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
    success = [((name,), moment) for name, moment in list(numbers.last_success.items())]
    overdue = [((name,), late) for name, late in numbers.overdue.items()]
    yield _gauge("last_success_timestamp_seconds", "When it last succeeded, in any process.", ("task",), success)
    yield _gauge("overdue", "1 if it has not succeeded in time, else 0.", ("task",), overdue)


def _counter(
    name: str, help_: str, labels: tuple[str, ...], counts: Iterable[tuple[tuple[str, ...], int]]
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"asyncsched_{name}", help_, labels=labels)
    for values, count in list(counts):  # at one go: the loop may add to them
        family.add_metric(values, count)
    return family


def _gauge(
    name: str, help_: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"asyncsched_{name}", help_, labels=labels)
    for labelled, value in values:
        family.add_metric(labelled, value)
    return family


def _histogram(name: str, help_: str, histograms: Mapping[str, Histogram]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(f"asyncsched_{name}", help_, labels=("task",))
    for task, histogram in histograms.items():
        bounds = [*(str(float(bound)) for bound in histogram.bounds), "+Inf"]
        family.add_metric((task,), list(zip(bounds, histogram.cumulative, strict=True)), histogram.sum)
    return family
