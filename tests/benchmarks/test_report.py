"""How what was measured is judged, and how it is told."""

import pytest

from benchmarks import report
from benchmarks.case import OURS, RAW, Target
from benchmarks.engine.measure import lateness, percentile
from benchmarks.figures import number, title
from benchmarks.judge import judge
from benchmarks.plot import Panel, ratios
from benchmarks.results import Measurement, Results, read


def measured(system: str, *values: float, metric: str = "wait_ms", size: int = 10, **more: object) -> Measurement:
    samples = [{metric: value} for value in values]
    return Measurement(
        area="talk", workload="talk", system=system, size=size, measured_on="2026-01-01", samples=samples, **more
    )


def results(*measurements: Measurement) -> Results:
    return Results(machine={"CPU": "a fast one"}, measurements=measurements)


def target(**limits: object) -> Target:
    return Target(workload="talk", size=10, metric="wait_ms", ours=OURS, words="soon", **limits)


BESIDE = results(measured(RAW, 1, 2, 30), measured(OURS, 2, 3, 4))


class TestFigures:
    def test_a_percentile_is_a_value_that_was_measured(self):
        assert percentile(range(1, 101), 0.99) == 99
        assert percentile([7.0], 0.99) == 7.0

    def test_a_start_before_its_instant_counts_like_one_after_it(self):
        assert lateness([-0.004, 0.001, 0.002])["max_ms"] == 4

    def test_what_never_ran_has_no_lateness(self):
        assert lateness([]) == {}

    @pytest.mark.parametrize(
        ("value", "words"), [(0, "0"), (0.01234, "0.0123"), (1.0, "1"), (12.34, "12.3"), (54321.6, "54,322")]
    )
    def test_a_number_has_three_digits(self, value, words):
        assert number(value) == words

    @pytest.mark.parametrize(
        ("metric", "words"),
        [("cpu_per_run_us", "CPU per run, µs"), ("runs_per_s", "runs per s"), ("connections", "connections")],
    )
    def test_a_metric_is_named_in_words_with_its_unit(self, metric, words):
        assert title(metric) == words

    def test_a_metric_that_some_sample_lacks_has_no_median(self):
        one = Measurement(
            area="a", workload="w", system="s", size=1, measured_on="", samples=[{"wait_ms": 1.0}, {"lost": 1.0}]
        )
        assert one.median("wait_ms") is None


class TestTargets:
    @pytest.mark.parametrize(
        ("limits", "comparison", "words"),
        [
            ({"than": RAW, "at_most": 1.5}, "1.5 × raw asyncio", "met"),
            ({"than": RAW, "at_most": 1.2}, "1.5 × raw asyncio", "missed, at 125% of the limit"),
            ({"than": RAW, "at_least": 3}, "1.5 × raw asyncio", "missed, at 50% of the limit"),
            ({"than": RAW, "plus": 1}, "+1 ms beside raw asyncio", "met"),
            ({"than": RAW, "plus": 0.5}, "+1 ms beside raw asyncio", "missed, at 200% of the limit"),
            ({"at_most": 3}, "3 ms", "met"),
            ({"at_least": 4}, "3 ms", "missed, at 75% of the limit"),
            ({"than": "nobody", "at_most": 1}, "–", "not measured"),
        ],
    )
    def test_a_target_is_judged_by_the_medians(self, limits, comparison, words):
        verdict = judge(target(**limits), BESIDE)
        assert (verdict.comparison, verdict.words) == (comparison, words)

    def test_a_target_without_a_limit_is_a_mistake(self):
        with pytest.raises(ValueError, match="sets no limit"):
            _ = judge(target(), BESIDE).is_met


class TestTables:
    def test_a_cell_is_the_median_with_the_least_and_the_greatest(self):
        assert f"| 10 | {OURS} | 1.5 × | 3 (2–4) |" in report.table(BESIDE.measurements)

    def test_what_could_not_be_measured_stands_below_the_table_with_the_reason(self):
        missing = measured("quartz", problem="the library quartz is not installed")
        assert report.table([*BESIDE.measurements, missing]).endswith(
            "\n\nNot measured: quartz at 10: the library quartz is not installed"
        )

    def test_if_nothing_could_be_measured_only_the_reasons_are_left(self):
        assert report.table([measured("quartz", problem="it crashed", has_failed=True)]) == (
            "Failed: quartz at 10: it crashed"
        )

    def test_only_what_is_between_the_markers_is_written_anew(self):
        page = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
        assert report.between_markers(page, "new\n") == f"before\n{report.BEGIN}\n\nnew\n\n{report.END}\nafter\n"

    def test_a_page_without_markers_is_left_alone(self):
        with pytest.raises(ValueError, match="markers"):
            report.between_markers("before", "new")

    def test_a_report_names_the_machine_and_the_verdicts(self):
        text = report.report(BESIDE, [judge(target(at_most=3), BESIDE)], None)
        assert "- CPU: a fast one" in text
        assert "| soon | 3 ms | **met** |" in text


class TestResults:
    def test_they_are_read_as_they_were_written(self, tmp_path):
        BESIDE.write(tmp_path / "of" / "today.json")
        found = read(tmp_path / "of" / "today.json")
        assert found is not None
        assert found.of("talk", OURS, 10) == BESIDE.of("talk", OURS, 10)

    def test_before_the_first_run_there_are_none(self, tmp_path):
        assert read(tmp_path / "none.json") is None

    def test_what_is_measured_again_takes_the_place_of_all_that_stood_beside_it(self):
        other = measured(RAW, 1, size=1_000)
        again = results(*BESIDE.measurements, other).with_new([measured(OURS, 9)])
        assert [(one.system, one.size) for one in again.measurements] == [(RAW, 1_000), (OURS, 10)]


class TestThePicture:
    def test_bars_are_ratios_to_the_first_system(self):
        assert ratios(BESIDE, Panel("", "talk", 10, "wait_ms")) == {RAW: 1, OURS: 1.5}

    def test_of_a_rate_the_bars_are_the_time_it_stands_for(self):
        assert ratios(BESIDE, Panel("", "talk", 10, "wait_ms", is_rate=True))[OURS] == 2 / 3

    def test_what_was_not_measured_is_not_drawn(self):
        assert ratios(BESIDE, Panel("", "talk", 99, "wait_ms")) == {}
