"""What the live page calls the states of Home Assistant's entities."""

import pytest

from alarm.entity_words import in_words


@pytest.mark.parametrize(
    ("entity_id", "state", "attributes", "words"),
    [
        ("person.alex", "not_home", {}, "away"),
        ("person.alex", "home", {}, "at home"),
        ("person.alex", "Office", {}, "Office"),
        ("binary_sensor.front_door", "on", {"device_class": "door"}, "open"),
        ("binary_sensor.front_door", "off", {"device_class": "door"}, "closed"),
        ("binary_sensor.hall", "on", {"device_class": "motion"}, "detected"),
        ("binary_sensor.hall", "off", {"device_class": "motion"}, "clear"),
        ("binary_sensor.lock", "on", {"device_class": "lock"}, "unlocked"),
        ("binary_sensor.hall", "on", {}, "on"),
        ("binary_sensor.hall", "unavailable", {"device_class": "motion"}, "not available"),
        ("light.kitchen", "on", {"device_class": "door"}, "on"),
        ("sensor.outside", "21.5", {"unit_of_measurement": "°C"}, "21.5 °C"),
        ("sensor.count", "3", {}, "3"),
        ("sensor.odd", "nan", {"unit_of_measurement": "°C"}, "nan"),
        ("sensor.outside", "unknown", {"unit_of_measurement": "°C"}, "not known"),
        ("alarm_control_panel.house", "armed_away", {}, "armed away"),
        ("button.bell", "2026-11-23T09:00:00+00:00", {}, "pressed"),
        ("scene.evening", "2026-11-23T09:00:00+00:00", {}, "activated"),
        ("binary_sensor.odd", "on", {"device_class": ["door"]}, "on"),
    ],
)
def test_a_state_is_said_in_words(entity_id, state, attributes, words):
    assert in_words(entity_id, state, attributes) == words
