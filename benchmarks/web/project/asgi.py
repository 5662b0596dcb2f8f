"""The door of the project; the scheduler needs the last line."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.web.project.settings")

from django.core.asgi import get_asgi_application

from benchmarks.web.project import options

application: Any = get_asgi_application()

if options.IS_INSTALLED:
    from asyncsched.server import SchedulerLifespan

    application = SchedulerLifespan(application)
