"""A Django project with the scheduler and a few tasks, for commands that are run as people run them."""

import environ

env = environ.Env()

SECRET_KEY = "for tests only"
INSTALLED_APPS = ["asyncsched", "bench"]
USE_TZ = True
TIME_ZONE = "UTC"
DATABASES = {"default": env.db("DATABASE_URL")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
