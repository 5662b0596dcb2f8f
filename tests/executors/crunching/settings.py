"""A project whose tasks run in processes; asgi.py beside this serves it."""

import os

SECRET_KEY = "for tests only"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["asyncsched", "tests.executors.crunching"]
ROOT_URLCONF = "asyncsched.web.urls"
USE_TZ = True
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("CRUNCHING_DATABASE", "")}}
ASYNCSCHED = {"SHUTDOWN_GRACE": 30, "EXECUTORS": {"processes": {"OPTIONS": {"max_workers": 1}}}}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
