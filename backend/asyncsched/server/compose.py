"""The composition root: the one place that knows which parts a scheduler is made of."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from asyncsched import __version__, conf
from asyncsched.engine.boundary import Boundary
from asyncsched.engine.clock import SystemClock
from asyncsched.engine.executor import NOTHING, LocalExecutor
from asyncsched.engine.keeper import Intensity
from asyncsched.engine.leadership import AlwaysLeader
from asyncsched.engine.ports import Clock, Executor, Leadership, Listener
from asyncsched.engine.routing import RoutingExecutor
from asyncsched.engine.run_log import LogKeeping
from asyncsched.engine.runner import describe
from asyncsched.engine.shared_clock import SharedClock
from asyncsched.engine.stall import StallWatch
from asyncsched.engine.supervisor import Supervisor
from asyncsched.errors import ConfigurationError
from asyncsched.executors import configured
from asyncsched.executors.configured import Setup
from asyncsched.executors.handed_off import FormerExecutor
from asyncsched.listeners.channels import ChannelsListener, warn_of_deaf_layer
from asyncsched.listeners.logs import LogListener
from asyncsched.listeners.metrics import MetricsListener
from asyncsched.listeners.pings import PingListener
from asyncsched.registry import Service, Task, registry
from asyncsched.server import overdue
from asyncsched.storage.connections import TaskConnections, thread_connections
from asyncsched.storage.leadership import DjangoLeadership
from asyncsched.storage.stalls import StallRecords
from asyncsched.storage.store import DjangoStore


def tasks(settings: conf.Settings) -> tuple[Task, ...]:
    """Return the registered tasks, the scheduler's own last, in the project's time zone where they name none."""
    return tuple(_in_zone(task, settings.time_zone) for task in sorted(registry, key=lambda task: task.is_own))


def _in_zone(task: Task, zone: str) -> Task:
    schedule = task.schedule.in_zone(zone)
    return task if schedule is task.schedule else replace(task, schedule=schedule)


def store(settings: conf.Settings, clock: Clock | None = None) -> DjangoStore:
    """Return a store for this process; it opens its connection when it is first used."""
    history = timedelta(days=settings.history_days) if settings.history_days else None
    return DjangoStore(now=(clock or SystemClock()).now, history=history, slow_run=settings.slow_run)


def executor(settings: conf.Settings, tasks: Iterable[Task], replica: str) -> Executor:
    """Return the executor of *tasks*: connections looked after, log lines kept, handed off, runs traced.

    Raises ConfigurationError naming a task that cannot be handed off as it wants.
    """
    local = LocalExecutor(
        settings.threads,
        sync_scope=thread_connections,
        async_scope=TaskConnections,
        during=LogKeeping(settings.log_lines) if settings.log_lines else NOTHING,
    )
    others = configured.made(tasks, settings, replica)
    runs: Executor = RoutingExecutor(
        local,
        others,
        former=FormerExecutor(Setup(name="former", replica=replica)),
        outliving=[name for name, other in others.items() if getattr(other, "outlives", False)],
    )
    if settings.tracing:
        from asyncsched.listeners.opentelemetry import Tracing  # noqa: PLC0415 - an optional extra

        runs = Tracing(runs)
    return runs


def chosen_listeners(settings: conf.Settings) -> tuple[Listener, ...]:
    """Return the project's own listeners, and what sends its pings; raise ConfigurationError naming a bad one."""
    pings = (PingListener(settings.pings),) if settings.pings else ()
    return (*(_made(path) for path in settings.listeners), *pings)


def _made(path: str) -> Listener:
    with Boundary() as boundary:
        listener = conf.listener_class(path)()
    if boundary.error:
        raise ConfigurationError(f"settings.ASYNCSCHED['LISTENERS']: {path} cannot be made: {describe(boundary.error)}")
    return listener


def leadership(settings: conf.Settings, tasks: Iterable[Task], replica: str, clock: SharedClock) -> Leadership:
    """Return the part that the process *replica*, which knows *tasks*, takes in the election of the one that leads."""
    if not settings.election:
        return AlwaysLeader()
    return DjangoLeadership(
        replica=replica,
        tasks=tasks,
        seconds=settings.lease_seconds,
        clock=clock,
        version=__version__,
        on_company=warn_of_deaf_layer,
    )


def supervisor(settings: conf.Settings) -> Supervisor:
    """Put a scheduler together, to be started on the running loop."""
    known = tasks(settings)
    clock = SharedClock(SystemClock())
    memory = store(settings, clock)
    channels = ChannelsListener(memory.replica)
    pump = Service(name="run messages", function=channels.pump, enabled_when=channels.is_wanted)
    names = (*(service.name for service in registry.services), pump.name, overdue.NAME)
    metrics = MetricsListener((task.name for task in registry), names)
    watch = overdue.Watch(known, elected=settings.election, tell=metrics.looked)
    services = (*registry.services, pump, Service(name=overdue.NAME, function=watch.run))
    runs = executor(settings, known, memory.replica)
    told = (runs,) if isinstance(runs, Listener) else ()  # what traces runs wants to hear how they end
    return Supervisor(
        known,
        services,
        clock=clock,
        store=memory,
        leadership=leadership(settings, known, memory.replica, clock),
        executor=runs,
        listeners=(LogListener(), channels, metrics, StallRecords(memory.replica), *told, *chosen_listeners(settings)),
        intensity=Intensity(restarts=settings.restarts, seconds=settings.restart_seconds),
        stall_watch=StallWatch(settings.stall_threshold) if settings.stall_threshold else None,
    )
