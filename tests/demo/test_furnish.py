"""The demo's rules, as the alarm backend takes them."""

import json
import re

import pytest
from constance import config

from demo.day import ENTITIES
from demo.frigate import CAMERAS
from demo.prepare import RULES, furnish
from rules.definitions import entity_ids
from rules.models import Rule

pytestmark = pytest.mark.django_db


def test_rules_that_are_valid_are_added_once_and_name_what_the_home_has():
    assert furnish() == len(json.loads(RULES.read_text()))
    assert furnish() == 0
    for rule in Rule.objects.all():
        assert entity_ids(rule.definition) <= set(ENTITIES)
        assert set(re.findall(r'"camera": "(\w+)"', json.dumps(rule.definition))) <= set(CAMERAS)


def test_rules_that_somebody_has_kept_or_changed_are_left_alone():
    furnish()
    Rule.objects.exclude(name="Light in the hall").delete()

    assert furnish() == 0
    assert Rule.objects.count() == 1


def test_at_speed_what_is_waited_for_is_shorter():
    furnish(speed=10)

    assert Rule.objects.get(name="Front door left open").definition["for"] == 2
    assert (config.ALARM_EXIT_DELAY, config.ALARM_ENTRY_DELAY) == (1, 1)
