"""Who runs the tasks of scope ``cluster``. Where nobody is elected, every process does."""

import asyncio


class AlwaysLeader:
    """Keeps the Leadership contract of a process that is alone, or whose occurrences are claimed one by one."""

    leads = True

    async def changed(self) -> bool:
        await asyncio.Event().wait()
        return self.leads
