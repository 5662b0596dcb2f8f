"""A kit for tests of scheduled tasks, in virtual time.

``VirtualScheduler``, which the pytest fixture ``scheduler`` hands out, is all that most tests need.
The parts below it are for tests that put a scheduler together themselves, on a loop whose time is
virtual, such as looptime's: a clock that goes with the loop, a store in memory, and a listener that
remembers.
"""

from asyncsched.engine.virtual import Runs, VirtualRun
from asyncsched.storage.memory import MemoryStore
from asyncsched.testing.clock import VirtualClock
from asyncsched.testing.listener import RecordingListener
from asyncsched.testing.scheduler import VirtualScheduler

__all__ = ["MemoryStore", "RecordingListener", "Runs", "VirtualClock", "VirtualRun", "VirtualScheduler"]
