"""Settings of this deployment, from the environment (see docs/reference/environment.md)."""

from django.db.backends.base.base import BaseDatabaseWrapper
from pythonjsonlogger.core import RESERVED_ATTRS

from config.env import VAR_DIR, choice, env, secret_key

# A checkout without a SECRET_KEY is somebody's first look; one with it is a deployment.
DEBUG = env.bool("DEBUG", default=not env.str("SECRET_KEY", default=""))
SECRET_KEY = secret_key(debug=DEBUG)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.reports.DiscreetReports"

INSTALLED_APPS = [
    "daphne",
    "channels",
    "servestatic.runserver_nostatic",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "constance",
    "retention",
    "home",
    "notifications",
    "alarm",
    "rules",
    "asyncsched",  # last, so that the alarm's templates come before those it changes
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}")}
DATABASES["default"].setdefault("OPTIONS", {})
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # WAL lets pages read while a task writes; IMMEDIATE takes the write lock at BEGIN, where
    # SQLite waits for it, rather than in mid-transaction, where it gives up at once.
    DATABASES["default"]["OPTIONS"] |= {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
    }
if DEBUG:
    # Django keeps the last 9000 statements of a connection, with their values, until a page begins.
    # Those of tasks and services last as long as the process: that would be half a gigabyte.
    BaseDatabaseWrapper.queries_limit = 100
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="")
# Pub/sub, because the core layer keeps its groups in Redis and is deaf after Redis restarts.
CHANNEL_LAYERS = {
    "default": (
        {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
        if REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = DEBUG

ASYNCSCHED = {
    "ENABLED": env.bool("SCHEDULER_ENABLED", default=True),
    "METRICS_TOKEN": env.str("METRICS_TOKEN", default=""),
}

HOME_ASSISTANT_URL = env.str("HOME_ASSISTANT_URL", default="")
HOME_ASSISTANT_TOKEN = env.str("HOME_ASSISTANT_TOKEN", default="")
_domains = env.str(
    "HOME_ASSISTANT_ALLOWED_DOMAINS",
    default="alarm_control_panel,button,climate,cover,fan,input_boolean,input_button,light,lock,media_player,notify,"
    "persistent_notification,scene,script,siren,switch,tts,valve",
)
HOME_ASSISTANT_ALLOWED_DOMAINS = [name.strip() for name in _domains.split(",") if name.strip()]
MQTT_URL = env.str("MQTT_URL", default="")
FRIGATE_TOPIC_PREFIX = env.str("FRIGATE_TOPIC_PREFIX", default="frigate")
ZIGBEE2MQTT_BASE_TOPIC = env.str("ZIGBEE2MQTT_BASE_TOPIC", default="")
ZWAVE_JS_URL = env.str("ZWAVE_JS_URL", default="")
NOTIFY_URLS = env.list("NOTIFY_URLS", default=[])

# Settable at run time in the admin; every change is recorded (see retention.audit).
CONSTANCE_BACKEND = "retention.audit.AuditedBackend"
CONSTANCE_ADDITIONAL_FIELDS = {
    "days": ["django.forms.IntegerField", {"min_value": 0, "max_value": 36_500}],
    "delay": ["django.forms.IntegerField", {"min_value": 0, "max_value": 600}],
    "duration": ["django.forms.IntegerField", {"min_value": 1, "max_value": 86_400}],
}
CONSTANCE_CONFIG = {
    "ALARM_EXIT_DELAY": (60, "Seconds to leave the house after arming", "delay"),
    "ALARM_ENTRY_DELAY": (30, "Seconds to disarm after coming in", "delay"),
    "ALARM_TRIGGER_DURATION": (300, "Seconds for which the alarm is on, once triggered", "duration"),
    "ALARM_CODE_TO_ARM": (False, "Arming needs a code too; disarming always does", bool),
    "ALARM_NOTIFIES": (True, "When the alarm goes off, an urgent message goes to every address in NOTIFY_URLS", bool),
    "RETAIN_ALARM_EVENTS_DAYS": (
        90,
        "Alarm events older than so many days are deleted, daily at 03:00. 0 to 36500; 0 keeps them all.",
        "days",
    ),
    "RETAIN_RULE_ACTION_LOGS_DAYS": (
        30,
        "What rules did more than so many days ago is deleted, daily at 03:30. 0 to 36500; 0 keeps it all.",
        "days",
    ),
    "RETAIN_FRIGATE_DETECTIONS_DAYS": (
        14,
        "Camera detections older than so many days are deleted, every hour. 0 to 36500; 0 keeps them all.",
        "days",
    ),
    "RETAIN_NOTIFICATIONS_DAYS": (
        30,
        "Notifications that are over and older than so many days are deleted, daily at 03:00. 0 to 36500; 0 keeps all.",
        "days",
    ),
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"task": {"()": "asyncsched.logs.TaskContext"}},
    "formatters": {
        "text": {
            "class": "asyncsched.logs.TextFormatter",
            "format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        },
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": "%(levelname)s %(name)s %(message)s",
            "rename_fields": {"levelname": "level", "name": "logger"},
            "timestamp": True,
            "reserved_attrs": [*RESERVED_ATTRS, "request"],  # Django's, whose address may hold a token
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["task"],
            "formatter": choice("LOG_FORMAT", env.str("LOG_FORMAT", default="text"), "text", "json"),
        }
    },
    # With DEBUG Django logs every statement, and with it keys of sessions and hashes of codes.
    "loggers": {"constance": {"level": "WARNING"}, "django.db.backends": {"level": "INFO"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}
