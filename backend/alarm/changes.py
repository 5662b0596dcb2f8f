"""What the alarm becomes, told in the transaction that stores it.

A receiver runs in the thread and the transaction of whoever changes the alarm: what it writes is
stored with the change or not at all. What it raises undoes what the receivers have written and is
logged, but the change stands: the alarm goes off whatever is wrong with a rule. An OperationalError
is the database's and undoes all, and the timer tries again.
"""

from django.dispatch import Signal

alarm_changed = Signal()
"""Sent with ``before`` and ``after``, each an ``alarm.machine.Status``, once for every change."""
