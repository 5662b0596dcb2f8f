"""What wakes the service that executes rules as they come due: see ``rules.tasks``."""

from asyncsched import Bell

bell = Bell()
"""Ring it after the transaction in which a rule's next instant, or that of a runtime, has changed."""
