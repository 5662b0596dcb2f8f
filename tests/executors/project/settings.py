"""A Django project whose tasks are carried out by other processes."""

import environ

env = environ.Env()

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["asyncsched", "errands", *env.list("ERRANDS_APPS", default=[])]
ROOT_URLCONF = "urls"
ASGI_APPLICATION = "asgi.application"
TIME_ZONE = "UTC"
USE_TZ = True

DATABASES = {"default": env.db("DATABASE_URL")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",  # nobody cuts the power
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
    }

ASYNCSCHED = env.json("ERRANDS_ASYNCSCHED", default={})
TASKS = env.json("ERRANDS_TASKS", default={"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}})

CELERY_BROKER_URL = CELERY_RESULT_BACKEND = env.str("ERRANDS_BROKER", default="memory://")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 1}  # after it, messages are handed out again

# To what the tasks are handed off, whether they run at all, and which of them run as soon as a scheduler starts.
ERRANDS_EXECUTOR = env.str("ERRANDS_EXECUTOR", default="local")
ERRANDS_ENABLED = env.bool("ERRANDS_ENABLED", default=True)
ERRANDS_ON_START = env.list("ERRANDS_ON_START", default=[])
# Where the tasks note what they did, and look for the word to go on.
ERRANDS_FOLDER = env.str("ERRANDS_FOLDER")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(process)d %(levelname)-7s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
