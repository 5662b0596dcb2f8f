"""What people ask of the scheduler, as rows: every running replica looks at them within two seconds."""

from asyncsched.models import TaskState


def set_paused(name: str, *, value: bool) -> bool:
    """Pause or resume the task *name*, whether it has ever run or not; return False if it already was so."""
    state, _ = TaskState.objects.get_or_create(task=name)
    # When it runs next is known anew when it has; until then it is not to count as overdue.
    changed = TaskState.objects.filter(pk=state.pk).exclude(paused=value).update(paused=value, next_run_at=None)
    return bool(changed)
