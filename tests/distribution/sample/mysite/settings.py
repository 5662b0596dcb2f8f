"""The least a project with the scheduler sets."""

SECRET_KEY = "for type checkers only"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "asyncsched", "shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
ROOT_URLCONF = "mysite.urls"
USE_TZ = True
LOGGING = {
    "version": 1,
    "filters": {"task": {"()": "asyncsched.logs.TaskContext"}},
    "formatters": {"text": {"class": "asyncsched.logs.TextFormatter", "format": "%(asctime)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["task"], "formatter": "text"}},
}
ASYNCSCHED = {"THREADS": 4, "LISTENERS": ["shop.listeners.Ledger"]}
