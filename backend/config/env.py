"""The environment, read once and checked: what the process was started with."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from environ import Env

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = BASE_DIR / "var"
env = Env()


def secret_key(*, debug: bool) -> str:
    """Return ``SECRET_KEY``; in a development checkout make one up once and keep it under ``var/``."""
    if key := env.str("SECRET_KEY", default=""):
        return str(key)
    if not debug:
        raise RuntimeError("SECRET_KEY is not set: set it, or DEBUG=1 for a development checkout")
    path = VAR_DIR / "secret_key"
    if not path.exists():
        VAR_DIR.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(get_random_secret_key())
    return path.read_text()


def choice(name: str, value: str, *choices: str) -> str:
    """Return *value*, which the variable *name* has; raise ImproperlyConfigured if it is none of *choices*."""
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be {' or '.join(choices)}, but is {value!r}")
    return value
