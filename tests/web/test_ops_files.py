"""The dashboard and the alert rules ask for what a running server tells, and are what their readers take."""

import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.docs.pages import DOCS
from tests.support.programs import program

DASHBOARD = json.loads((DOCS / "ops" / "grafana-dashboard.json").read_text())
RULES = yaml.safe_load((DOCS / "ops" / "prometheus-rules.yml").read_text())
ADDED = {"job", "instance"}  # labels that Prometheus adds when it scrapes
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"]}
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}
FUNCTIONS = {"by", "histogram_quantile", "increase", "max", "or", "rate", "sum", "time", "unless", "vector"}


def expressions() -> dict[str, str]:
    """Every PromQL expression, by where it stands."""
    panels = {
        f"panel {title}, {target['refId']}": target["expr"]
        for title, panel in PANELS.items()
        for target in panel["targets"]
    }
    return panels | {f"alert {name}": rule["expr"] for name, rule in ALERTS.items()}


def metrics_in(expression: str) -> dict[str, set[str]]:
    """Each metric of *expression*, with the labels by which it is selected."""
    bare = re.sub(r'"[^"]*"|\bby \([^)]*\)|\[[^]]*\]', "", expression)
    found = defaultdict(set)
    for name, selector in re.findall(r"\b([a-z][a-z_]*)\b(?:\{([^}]*)\})?", re.sub(r"(\w+)\(", "(", bare)):
        if name not in FUNCTIONS:
            found[name] |= set(re.findall(r"(\w+)(?:=|!)", selector))
    return found


def grouped_by(expression: str) -> set[str]:
    return {label.strip() for labels in re.findall(r"\bby \(([^)]*)\)", expression) for label in labels.split(",")}


@pytest.fixture(scope="module")
def told(site) -> dict[str, set[str]]:
    """Every sample of a real answer, and its labels."""
    found = defaultdict(set)
    for family in text_string_to_metric_families(site.server.get("/metrics").body):
        for sample in family.samples:
            found[sample.name] |= set(sample.labels)
    found["asyncsched_last_success_timestamp_seconds"] |= {"task"}  # there once a task has succeeded
    return found | {"up": set()}


@pytest.mark.parametrize("where", expressions())
def test_every_metric_and_label_that_is_asked_for_exists(where, told):
    expression = expressions()[where]
    asked = metrics_in(expression)

    assert asked
    for name, labels in asked.items():
        assert name in told, f"{where}: no metric {name}"
        assert labels <= told[name] | ADDED, f"{where}: {name} has not all of the labels {labels}"
    assert grouped_by(expression) <= set.union(*(told[name] for name in asked)) | ADDED


@pytest.mark.parametrize("one", DASHBOARD["templating"]["list"], ids=lambda one: one["name"])
def test_a_variable_offers_values_of_a_label_that_exists(one, told):
    metric, label = re.fullmatch(r"label_values\(([a-z_]+)(?:\{[^}]*\})?, (\w+)\)", one["query"]["query"]).groups()
    assert label in told[metric] | ADDED
    assert one["name"] == label


@pytest.mark.parametrize("where", expressions())
def test_an_expression_is_balanced_and_knows_no_function_that_this_test_does_not(where):
    expression = expressions()[where]

    assert all(expression.count(left) == expression.count(right) for left, right in ("()", "[]", "{}"))
    assert expression.count('"') % 2 == 0
    called = set(re.findall(r"\b([a-z_]+)\(", re.sub(r'"[^"]*"', "", expression)))
    assert called <= FUNCTIONS


@pytest.mark.parametrize("metric", ["leader", "overdue", "build_info", "runs_total", "restarts_total", "skipped_total"])
def test_the_dashboard_shows_what_there_is_to_see(metric):
    shown = " ".join(target["expr"] for panel in PANELS.values() for target in panel["targets"])
    assert f"asyncsched_{metric}{{" in shown


def test_the_dashboard_can_be_imported_and_asks_for_its_data_source():
    (source,) = DASHBOARD["__inputs"]
    used = {json.dumps(found) for found in find(DASHBOARD, "datasource")}

    assert (source["name"], source["pluginId"]) == ("DS_PROMETHEUS", "prometheus")
    assert used == {json.dumps({"type": "prometheus", "uid": "${DS_PROMETHEUS}"})}
    assert DASHBOARD["id"] is None
    assert DASHBOARD["schemaVersion"] >= 36


def test_no_two_panels_lie_on_each_other():
    taken = [
        (x, y)
        for panel in PANELS.values()
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in PANELS.values()}) == len(DASHBOARD["panels"])


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_is_wrong_and_how_bad_it_is(name):
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"].endswith(".")
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    named = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert named <= grouped_by(rule["expr"]) | ({"instance"} if name == "ProcessCannotBeAsked" else set())


def test_every_alert_is_explained():
    page = (DOCS / "howto" / "alerts.md").read_text()
    assert [name for name in ALERTS if f"`{name}`" not in page] == []


def test_prometheus_itself_takes_the_rules():
    path = str(DOCS / "ops" / "prometheus-rules.yml")
    done = subprocess.run([program("promtool"), "check", "rules", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def find(value: object, key: str) -> Iterator[object]:
    """Yield whatever stands under *key* anywhere in *value*."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key:
                yield inner
            yield from find(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from find(inner, key)
