"""What other apps may hear of the scheduler, as Django signals. Receivers run in a thread, with the database at hand.

``task_overdue`` and ``task_recovered`` are sent once each for an incident, by whichever process
noticed first, inside the transaction in which that is written down: what a receiver writes is kept
together with it. One that raises undoes both, and they are sent again with the next look.
"""

from django.dispatch import Signal

task_overdue = Signal()
"""Tasks have not succeeded in time. ``alerts``: a list of ``asyncsched.alerts.Alert``; ``is_scheduler_alive``: bool."""

task_recovered = Signal()
"""Tasks of which that was said have succeeded. ``alerts``: as they are now, with the success that ended them."""

nobody_schedules = Signal()
"""A command found that no process runs the scheduler: what usually is a task's work is the receiver's, here and now.

Sent with each such look, after its transaction. It should take seconds, not minutes.
"""
