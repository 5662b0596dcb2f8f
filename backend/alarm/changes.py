"""What the alarm becomes, told in the transaction that stores it.

A receiver runs in the thread and the transaction of whoever changes the alarm: what it writes is
stored with the change or not at all. What it raises undoes the change.
"""

from django.dispatch import Signal

alarm_changed = Signal()
"""Sent with ``before`` and ``after``, each an ``alarm.machine.Status``, once for every change."""
