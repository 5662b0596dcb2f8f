"""``python -m demo``: the alarm backend and a simulated home around it, on this machine only.

The home becomes a process of its own, and this process, once the database is ready, becomes the
server: so signals and exit code are the server's, as with ``make run``. The home ends when this
process does, however that comes, because the socket between them then closes.
"""

import argparse
import os
import socket
import subprocess
import sys
from pathlib import Path

from demo.addresses import HOST, Addresses
from demo.house import READY

ROOT = Path(__file__).resolve().parent.parent
DATABASE = ROOT / "var" / "demo.sqlite3"


def main() -> None:
    """Prepare everything and become the server."""
    arguments = _arguments()
    os.chdir(ROOT)
    page = f"http://{HOST}:{arguments.port}"
    _point_at(Addresses.choose(), arguments.database)
    home, lifeline = _open_home(page, seed=arguments.seed, speed=arguments.speed)
    _say("A simulated home: Home Assistant, Frigate with three cameras, a phone, and Alex, who lives there.")
    _prepare(arguments.database, speed=arguments.speed)
    if lifeline.recv(len(READY)) != READY:
        sys.exit(f"the simulated home did not open: it ended with {home.wait()}")
    lifeline.set_inheritable(True)  # held open by the server, for as long as it lives
    _become_server(arguments.port)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description="The alarm backend with a simulated home.")
    parser.add_argument("--port", type=int, default=8000, help="of the page, on 127.0.0.1")
    parser.add_argument("--seed", type=int, default=1, help="of what is left to chance")
    parser.add_argument("--speed", type=float, default=1.0, help="2: a day takes half as long")
    parser.add_argument("--database", type=Path, default=DATABASE, help="a file; is made if there is none")
    return parser.parse_args()


def _point_at(addresses: Addresses, database: Path) -> None:
    """Let the environment tell of this home, and of nothing of a real one."""
    for name in ("REDIS_URL", "ZWAVE_JS_URL", "HOME_ASSISTANT_ALLOWED_DOMAINS"):
        os.environ.pop(name, None)
    os.environ.update(addresses.environment)
    os.environ["DATABASE_URL"] = f"sqlite:///{database.absolute()}"
    os.environ.setdefault("LOG_LEVEL", "WARNING")


def _open_home(page: str, *, seed: int, speed: float) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start the home's process; return it, and the socket on which it will say that it is ready."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "demo.house", "--page", page, "--seed", str(seed), "--speed", str(speed)]
    with theirs:
        # In a session of its own it hears no Ctrl-C: it stays until the server has come to its end.
        home = subprocess.Popen(command, stdin=theirs.fileno(), start_new_session=True)  # noqa: S603 - ourselves
    return home, ours


def _prepare(database: Path, *, speed: float) -> None:
    database.parent.mkdir(exist_ok=True)
    from demo import prepare  # noqa: PLC0415 - Django reads the environment when it is imported

    password = prepare.prepare(speed=speed)
    _say(password or f"Sign in as admin, with the password of the first start (rm {database} to begin anew).")


def _become_server(port: int) -> None:
    arguments = ["-b", HOST, "-p", str(port), "-v", "0", "asgi:application"]
    os.execv(sys.executable, [sys.executable, "-m", "daphne", *arguments])  # noqa: S606 - no shell is wanted


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
