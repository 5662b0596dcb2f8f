"""Who may see and do what on the pages and sockets of the scheduler."""

from typing import Any

VIEW, RUN = "asyncsched.view_tasks", "asyncsched.run_tasks"


def may_view(user: Any) -> bool:
    """True for who may see runs, errors, tracebacks and log lines: staff, and who has the permission VIEW or RUN."""
    return bool(user.is_active and (user.is_staff or user.has_perm(VIEW) or user.has_perm(RUN)))


def may_run(user: Any) -> bool:
    """True for who may run, pause and resume tasks: who has the permission RUN, as superusers do."""
    return bool(user.is_active and user.has_perm(RUN))
