"""A Django project as anyone has it: nothing here prepares it for what it is going to meet."""

import environ

env = environ.Env()

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["asyncsched", "beating"]
ROOT_URLCONF = "urls"
ASGI_APPLICATION = "asgi.application"
TIME_ZONE = "UTC"
USE_TZ = True

CHAOS_REPLICA = env.str("CHAOS_REPLICA", default="command")
CHAOS_LEDGER = env.str("CHAOS_LEDGER", default="/dev/null")
CHAOS_JOBS = env.int("CHAOS_JOBS", default=0)

DATABASES = {"default": env.db("DATABASE_URL")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        "transaction_mode": "IMMEDIATE",
        "timeout": 5.0,
    }
else:  # by this name the harness finds the sessions of a replica
    DATABASES["default"]["OPTIONS"] = {"application_name": CHAOS_REPLICA}

ASYNCSCHED = {"SHUTDOWN_GRACE": 5.0, **env.json("CHAOS_ASYNCSCHED", default={})}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
