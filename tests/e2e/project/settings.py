"""A Django project that is nothing but a place for the scheduler to run in."""

import sys

import environ

env = environ.Env()

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = ["127.0.0.1"]
# Daphne's own runserver; other commands would be loading Daphne for half their time.
INSTALLED_APPS = [*(["daphne"] if "runserver" in sys.argv else []), "asyncsched", "ticking"]
ROOT_URLCONF = "urls"
ASGI_APPLICATION = "asgi.application"
TIME_ZONE = "UTC"
USE_TZ = True

DATABASES = {"default": env.db("DATABASE_URL")}
DATABASES["default"].setdefault("OPTIONS", {})
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] |= {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + env.str("E2E_PRAGMAS", default=""),
        "transaction_mode": "IMMEDIATE",
        "timeout": env.float("E2E_DATABASE_TIMEOUT", default=5.0),
    }

ASYNCSCHED = {"SHUTDOWN_GRACE": env.float("E2E_GRACE", default=3.0), **env.json("E2E_ASYNCSCHED", default={})}

# Which of ticking/tasks.py exist in this process, and the file to which they write what they did.
E2E_TASKS = env.list("E2E_TASKS", default=["tick"])
E2E_LEDGER = env.str("E2E_LEDGER")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
