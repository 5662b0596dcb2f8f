"""What rules do on schedule, and as soon as it is due."""

import asyncio

from asgiref.sync import sync_to_async
from django.utils import timezone

from asyncsched import DailyAt, Every, Retry, register, service
from retention.batches import delete_in_batches
from retention.current import run_or_none
from retention.limits import cutoff
from rules import actions, executor, references, runtimes
from rules.models import RuleActionLog, RuleRuntime

WORKERS = 16
"""So many runtimes go on at a time: calls to Home Assistant that hang hold up no alarm."""
BATCH = 25
"""So many runtimes a worker takes in one run."""
CLEANUP_TIMEOUT = 1800.0  # seconds
CLEANUP_RETRY = Retry(attempts=3, delay=60, max_delay=600)


@service("rule runtimes")
async def execute_at_once() -> None:
    """Execute the actions of rules the moment they are due, in every process."""
    await executor.run(WORKERS)


@register("process_due_rule_runtimes", schedule=Every(seconds=5), timeout=60)
async def process_due_rule_runtimes() -> int:
    """Execute the actions of rules that are due; return how many runtimes were completed.

    It finds what the service above has left: because no process ran, or because all its workers hang.
    """
    if not await sync_to_async(executor.look)(timezone.now()):
        return 0
    async with asyncio.TaskGroup() as group:
        workers = [group.create_task(_work()) for _ in range(WORKERS)]
    return sum(worker.result() for worker in workers)


async def _work() -> int:
    """Execute one due runtime after the other, unless the run should stop; return how many were completed."""
    run, done = run_or_none(), 0
    for _ in range(BATCH):
        if run and run.stopping:
            break
        claimed = await sync_to_async(runtimes.claim_next)(timezone.now())
        if claimed is None:
            break
        done += await actions.execute(claimed)
    return done


@register("cleanup_rule_action_logs", schedule=DailyAt(hour=3, minute=30), timeout=CLEANUP_TIMEOUT, retry=CLEANUP_RETRY)
def cleanup_rule_action_logs() -> int:
    """Delete rule action logs, and runtimes that ended, older than RETAIN_RULE_ACTION_LOGS_DAYS; return how many."""
    before = cutoff("RETAIN_RULE_ACTION_LOGS_DAYS")
    if before is None:
        return 0
    logs = delete_in_batches(RuleActionLog.objects.filter(created_at__lt=before))
    return logs + delete_in_batches(RuleRuntime.objects.filter(finished_at__lt=before))


@register(
    "cleanup_orphan_rule_entity_refs", schedule=DailyAt(hour=4, minute=30), timeout=CLEANUP_TIMEOUT, retry=CLEANUP_RETRY
)
def cleanup_orphan_rule_entity_refs() -> int:
    """Delete rules' references to entities that Home Assistant no longer has; return how many."""
    return delete_in_batches(references.orphans(timezone.now()))
