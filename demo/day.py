"""What happens in the simulated home, as data: entities, and a day of a minute and a half that repeats.

The alarm is armed and disarmed by rules, when Alex goes and comes; nobody here knows of rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from demo.frigate import Walk

ENTITIES: dict[str, tuple[str, Mapping[str, Any]]] = {
    "person.alex": ("home", {"friendly_name": "Alex"}),
    "binary_sensor.front_door": ("off", {"friendly_name": "Front door", "device_class": "door"}),
    "binary_sensor.back_door": ("off", {"friendly_name": "Back door", "device_class": "door"}),
    "binary_sensor.hall_motion": ("off", {"friendly_name": "Hall motion", "device_class": "motion"}),
    "light.hall": ("off", {"friendly_name": "Hall light"}),
    "light.kitchen": ("off", {"friendly_name": "Kitchen light"}),
    "siren.hall": ("off", {"friendly_name": "Siren"}),
    "sensor.kitchen_temperature": (
        "20.5",
        {"friendly_name": "Kitchen temperature", "device_class": "temperature", "unit_of_measurement": "°C"},
    ),
}
"""State and attributes of each at first, by its id in Home Assistant."""

LENGTH = 90.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What happens *at* that many seconds of the day: a line to say, entities that change, a walk past a camera."""

    at: float
    says: str = ""
    states: Mapping[str, str] = field(default_factory=dict)
    walk: Walk | None = None


def day(random: Random) -> tuple[Step, ...]:
    """Return the steps of one day in their order; what is left to chance comes from *random*."""
    animal = random.choice(("cat", "dog", "bird"))
    score = round(random.uniform(0.75, 0.95), 2)
    degrees = [f"{random.uniform(19, 22):.1f}" for _ in range(2)]
    return (
        Step(at=1, says="Alex comes down into the hall", states={"binary_sensor.hall_motion": "on"}),
        Step(at=5, states={"binary_sensor.hall_motion": "off", "light.kitchen": "on"}),
        Step(at=6, states={"sensor.kitchen_temperature": degrees[0]}),
        Step(at=8, says="Alex takes the rubbish out, and leaves the front door open", states=_front_door("on")),
        Step(at=9, walk=Walk(camera="front_door", label="person", score=score, zones=("doorstep",))),
        Step(at=34, says="Alex comes back and closes it", states=_front_door("off")),
        Step(at=38, says="Alex leaves the house", states=_front_door("on") | {"light.hall": "off"}),
        Step(at=40, states=_front_door("off") | {"light.kitchen": "off", "person.alex": "not_home"}),
        Step(at=45, says=f"a {animal} crosses the drive", walk=Walk(camera="drive", label=animal, score=score)),
        Step(
            at=50,
            says="a stranger walks through the garden",
            walk=Walk(camera="garden", label="person", score=score, zones=("lawn", "terrace"), seconds=8),
        ),
        Step(at=56, states={"sensor.kitchen_temperature": degrees[1]}),
        Step(at=60, says="the stranger opens the back door", states={"binary_sensor.back_door": "on"}),
        Step(at=61, states={"binary_sensor.hall_motion": "on"}),
        Step(at=65, states={"binary_sensor.hall_motion": "off"}),
        Step(at=76, says="Alex comes home; the stranger runs", states=_front_door("on") | {"person.alex": "home"}),
        Step(
            at=79,
            says="Alex closes the doors and switches the light off",
            states=_front_door("off") | {"binary_sensor.back_door": "off", "light.hall": "off"},
        ),
    )


def _front_door(state: str) -> dict[str, str]:
    return {"binary_sensor.front_door": state}
