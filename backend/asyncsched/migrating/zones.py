"""Times of day that go by Django's time zone there, where schedules that name none go by another here."""

from dataclasses import replace

from django.conf import settings

from asyncsched import conf
from asyncsched.migrating.found import Definition, LeftOut


def in_djangos_zone(definition: Definition) -> Definition:
    """Return *definition* with Django's zone spelled out, if ``ASYNCSCHED["TIME_ZONE"]`` is another."""
    if isinstance(definition, LeftOut) or conf.load().time_zone == settings.TIME_ZONE:
        return definition
    return replace(definition, schedule=definition.schedule.in_zone(settings.TIME_ZONE))
