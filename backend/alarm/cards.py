"""The status row in words, as the page shows it without its script. ``status.js`` says the same."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One integration: *state* is ``ok``, ``bad``, ``wait`` (not known yet) or ``off`` (not configured)."""

    key: str
    title: str
    state: str
    word: str
    detail: str = ""


def cards(payload: dict[str, Any]) -> list[Card]:
    """Return the cards of a status payload, in the order of the page."""
    return [
        _home_assistant(payload["home_assistant"]),
        _mqtt(payload["mqtt"]),
        _frigate(payload["frigate"]),
        *([_zigbee2mqtt(payload["zigbee2mqtt"])] if "zigbee2mqtt" in payload else []),
        *([_zwave_js(payload["zwave_js"])] if "zwave_js" in payload else []),
        _scheduler(payload["scheduler"]),
    ]


def _home_assistant(found: dict[str, Any]) -> Card:
    known = found["checked_at"] is not None
    state, word = _judge(found, good=found["reachable"], known=known, words=("Reachable", "Unreachable", "Checking"))
    detail = f"Version {found['version']} · {found['latency_ms']:.0f} ms" if state == "ok" else found["error"] or ""
    return Card(key="home_assistant", title="Home Assistant", state=state, word=word, detail=detail)


def _mqtt(found: dict[str, Any]) -> Card:
    known = found["error"] is not None
    words = ("Connected", "Not connected", "Connecting")
    state, word = _judge(found, good=found["connected"], known=known, words=words)
    return Card(key="mqtt", title="MQTT", state=state, word=word, detail=found["error"] or "")


def _frigate(found: dict[str, Any]) -> Card:
    known = found["error"] is not None
    words = ("Available", "In trouble" if found["available"] else "Not available", "Waiting")
    state, word = _judge(found, good=found["available"] and not known, known=known, words=words)
    return Card(key="frigate", title="Frigate", state=state, word=word, detail=found["error"] or "")


def _zigbee2mqtt(found: dict[str, Any]) -> Card:
    known = found["error"] is not None
    state, word = _judge(found, good=found["available"], known=known, words=("Available", "Not available", "Waiting"))
    return Card(key="zigbee2mqtt", title="Zigbee2MQTT", state=state, word=word, detail=found["error"] or "")


def _zwave_js(found: dict[str, Any]) -> Card:
    known = found["error"] is not None
    words = ("Connected", "Not connected", "Connecting")
    state, word = _judge(found, good=found["connected"], known=known, words=words)
    detail = f"Version {found['version']} · {found['nodes']} nodes" if state == "ok" else found["error"] or ""
    return Card(key="zwave_js", title="Z-Wave JS", state=state, word=word, detail=detail)


def _scheduler(found: dict[str, Any]) -> Card:
    if not found["tasks"]:
        return Card(key="scheduler", title="Scheduler", state="off", word="Not running in this process")
    failing, late = found["failing"], found["lateness_ms_p99"]
    word = f"{failing} failing" if failing else "Running" if found["leader"] else "Standing by"
    detail = f"{found['tasks']} tasks" + (f" · on time to {late:.0f} ms" if late is not None else "")
    return Card(key="scheduler", title="Scheduler", state="bad" if failing else "ok", word=word, detail=detail)


def _judge(found: dict[str, Any], *, good: bool, known: bool, words: tuple[str, str, str]) -> tuple[str, str]:
    """Return state and word; *words* are those for good, bad and not known yet."""
    if not found["configured"]:
        return "off", "Not configured"
    if good:
        return "ok", words[0]
    return ("bad", words[1]) if known else ("wait", words[2])
