"""Break what hands runs off, and what they are handed to, for a while, and say what came of it.

python -m tests.executors.chaos --seed 7 --seconds 90
"""

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.executors.chaos.checker import check
from tests.executors.chaos.harness import Chaos, Scenario


def main() -> int:
    """Return 0 if nothing was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.executors.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="by default another one each time")
    parser.add_argument("--seconds", type=float, default=90.0)
    options = parser.parse_args()
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    folder = Path(tempfile.mkdtemp(prefix="chaos-of-hand-offs-"))
    folder.chmod(0o755)
    _say(f"Breaking servers, workers and broker for {options.seconds:g} s, by the seed {seed} ...")
    chaos = Chaos(Scenario(seed=seed, seconds=options.seconds), folder)
    evidence = chaos.run()
    violations = check(evidence)
    for status, count in sorted(Counter(row.status for row in evidence.rows).items()):
        _say(f"{status:<26}{count}")
    _say(f"{'began':<26}{sum(note.event == 'began' for note in evidence.notes)}")
    _say(f"{'disturbances':<26}{len(chaos.deeds)}")
    _say(f"{'well again after':<26}{evidence.recovery:.1f} s")
    if not violations:
        shutil.rmtree(folder)
        _say("No violation.")
        return 0
    (folder / "deeds").write_text("\n".join(chaos.deeds))
    (folder / "evidence").write_text("\n".join(map(str, [*evidence.rows, *evidence.notes])))
    for violation in violations:
        _say(str(violation))
    _say(f"{len(violations)} VIOLATIONS. Deeds, notes and logs: {folder}")
    return 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
