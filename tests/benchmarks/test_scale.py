"""Where one leader's limit is: the model, what it is fed with, and what is told of it."""

import socket
import socketserver
import sys
import threading
import time
from dataclasses import replace
from random import Random
from statistics import median

import pytest

from asyncsched.engine.leadership import SILENCE, WATCH
from benchmarks import scale
from benchmarks.case import Case
from benchmarks.results import Measurement, Results, read
from benchmarks.runner import sample
from benchmarks.scale.costs import Costs, Part
from benchmarks.scale.distance import LongCable
from benchmarks.scale.election import vacancy
from benchmarks.scale.limits import last_start
from benchmarks.scale.load import after_death, even, ramp, saturation
from benchmarks.scale.model import Setting, simulate
from benchmarks.scale.words import Limits
from tests.support.servers import ROOT

COSTS = Costs(
    claim=Part(trips=7, cpu=0.0014, wall=0.0021),
    end=Part(trips=1, cpu=0.0004, wall=0.0005),
    row=Part(trips=0, cpu=0.0001, wall=0.0001),
    cpu_per_run=0.0002,
)
FAR = Setting(costs=COSTS, distance=0.005)
CLAIM = 7 * (0.005 + COSTS.wait_per_trip) + COSTS.claim.cpu  # seconds
LEASE = 10.0  # seconds


class TestLoads:
    def test_a_ramp_gives_twice_the_mean_at_its_end_and_nothing_at_its_beginning(self) -> None:
        moments = ramp(1_000, 10)
        assert [sum(second <= moment < second + 1 for moment in moments) for second in (0, 9)] == [10, 190]

    def test_an_even_load_shares_out_the_time(self) -> None:
        assert even(4, 2.0) == [0.0, 0.5, 1.0, 1.5]

    def test_saturated_are_those_that_are_late(self) -> None:
        starts = [(1.0, 1.01), (2.0, 2.6), (2.1, 2.8), (2.2, 3.0)]
        found = saturation(starts, schedules=5, seconds=10)
        assert found["runs_per_s"] == pytest.approx(2 / 0.4)
        assert found["late_from_due_per_s"] == pytest.approx(2 * 5 * 2.0 / 100)
        assert found["missing"] == 1

    def test_where_nothing_is_late_nothing_is_saturated(self) -> None:
        assert "runs_per_s" not in saturation([(1.0, 1.1)], schedules=1, seconds=10)

    def test_after_a_death_the_last_that_is_late_counts(self) -> None:
        starts = [(1.0, 1.1), (2.5, 9.0), (8.0, 9.5), (9.6, 9.7)]
        assert after_death(starts, died=2.0) == {"until_first_run_s": 7.0, "until_caught_up_s": 7.5}


class TestTheModel:
    def test_a_claim_waits_for_each_of_its_trips(self) -> None:
        [(due, started)] = simulate(FAR, [1.0], until=10)
        assert started - due == pytest.approx(CLAIM + COSTS.cpu_per_run)

    def test_claims_are_granted_one_after_the_other(self) -> None:
        starts = simulate(FAR, [0.0] * 5, until=10)
        assert max(started for _, started in starts) == pytest.approx(5 * CLAIM, rel=0.05)

    def test_below_the_limit_nobody_is_late(self) -> None:
        starts = simulate(FAR, even(600, 60), until=70)  # ten a second, where there can be twenty
        assert len(starts) == 600
        assert max(started - due for due, started in starts) < 0.5

    def test_beyond_the_limit_all_start_as_fast_as_can_be_and_later_and_later(self) -> None:
        starts = simulate(FAR, even(2_400, 60), until=60)
        each_ten_seconds = [sum(start <= started < start + 10 for _, started in starts) for start in range(0, 60, 10)]
        assert min(each_ten_seconds) == pytest.approx(max(each_ten_seconds), rel=0.1)
        assert starts[-1][1] - starts[-1][0] > 20

    def test_while_nobody_leads_nothing_starts_and_then_all_that_was_due(self) -> None:
        starts = simulate(replace(FAR, vacancy=(2.0, 10.0)), even(30, 15), until=30)
        assert not [started for _, started in starts if 2.5 < started < 10]
        assert len(starts) == 30

    def test_a_claim_of_many_in_one_transaction_is_dearer_by_their_rows_alone(self) -> None:
        assert last_start(replace(FAR, in_groups=True), 100) == pytest.approx(2 * CLAIM, rel=0.5)

    def test_five_leaders_grant_no_more_than_five_times_as_much(self) -> None:
        alone = last_start(FAR, 100)
        assert alone / 5 < last_start(replace(FAR, shards=5), 100) < alone / 2

    def test_many_take_what_their_claims_and_their_ends_take(self) -> None:
        end = 0.005 + COSTS.wait_per_trip + COSTS.end.cpu
        assert last_start(FAR, 500) == pytest.approx(500 * (CLAIM + end), rel=0.1)


class TestElection:
    @pytest.fixture
    def dice(self) -> Random:
        return Random(7)

    def test_a_leader_that_was_killed_is_followed_within_the_lease_time(self, dice: Random) -> None:
        gaps = [vacancy(standbys=2, seconds=LEASE, latency=0.001, resigns=False, dice=dice) for _ in range(30)]
        assert min(gaps) >= LEASE * (SILENCE - 0.1)
        assert max(gaps) <= LEASE

    def test_one_that_resigns_at_the_next_look(self, dice: Random) -> None:
        gaps = [vacancy(standbys=1, seconds=LEASE, latency=0.001, resigns=True, dice=dice) for _ in range(30)]
        assert max(gaps) <= LEASE * WATCH + 0.01

    def test_the_more_stand_by_the_sooner_one_looks(self, dice: Random) -> None:
        one, many = (
            median(vacancy(standbys=n, seconds=LEASE, latency=0.001, resigns=True, dice=dice) for _ in range(30))
            for n in (1, 10)
        )
        assert many < one


class _Echo(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line)


def test_a_long_cable_holds_back_each_question_and_counts_it() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), _Echo) as server:
        threading.Thread(target=server.handle_request).start()
        with (
            LongCable(server.server_address[1], delay=0.05) as cable,
            socket.create_connection(("127.0.0.1", cable.port), timeout=30) as client,
            client.makefile("rwb", buffering=0) as line,
        ):
            for number in range(3):
                if number == 1:  # to connect is a trip, too
                    before, began = cable.trips, time.monotonic()
                line.write(b"question\n")
                assert line.readline() == b"question\n"
            assert time.monotonic() - began >= 0.1
            assert cable.trips - before == 2


def ask(case: Case, *arguments: object) -> dict[str, float]:
    return sample(replace(case, venv=sys.prefix, arguments=tuple(map(str, arguments))))


@pytest.mark.e2e
def test_replicas_say_how_far_they_came_and_what_standing_by_costs() -> None:
    real = next(case for case in scale.cases(quick=True) if case.module.endswith("measured"))
    found = ask(real, "ramp", 0, 2, 20, 1)
    assert found["missing"] == 0
    assert found["p50_ms"] > 0
    assert 0 < found["trips_per_standby_per_s"] < 50


@pytest.mark.e2e
def test_a_claim_is_seven_questions_as_the_documentation_says_and_the_model_is_told_so() -> None:
    limits = next(case for case in scale.cases(quick=True) if case.module.endswith("limits"))
    found = ask(limits, 20)
    assert found["trips_per_claim"] == 7
    assert 1 <= found["trips_per_end"] < 1.5
    assert found["runs_per_s"] < 1 / (8 * 0.02)
    assert "last_of_100_s" in found
    assert "last_of_1000_s" not in found  # the next minute comes before it


def test_claims_in_groups_gain_more_than_five_leaders_where_the_database_is_away_as_the_decision_says() -> None:
    kept = read(ROOT / "benchmarks" / "results" / "latest.json")
    assert kept is not None
    for distance in filter(None, scale.DISTANCES):
        found = kept.of(scale.LIMITS, scale.away(distance), scale.MINUTELY)
        assert found is not None
        grouped, shared = found.median("in_groups_runs_per_s"), found.median("sharded_runs_per_s")
        assert grouped is not None
        assert shared is not None
        assert grouped > shared


def limits(**figures: float) -> Results:
    one = Measurement(
        area="scale",
        workload=scale.LIMITS,
        system=scale.away(5),
        size=scale.MINUTELY,
        measured_on="2026-11-26",
        samples=[figures],
    )
    return Results(machine={}, measurements=[one])


class TestTableOfLimits:
    def test_it_says_fine_or_how_late_or_that_they_are_too_many(self) -> None:
        rows = [*Limits().lines(limits(runs_per_s=20.4, last_of_10_s=0.4, last_of_100_s=4.71))]
        assert rows[0] == "|  | the same machine | 1 ms | 5 ms | 20 ms |"
        assert rows[2] == "| 10 of every minute, all due at :00 | – | – | fine | – |"
        assert rows[3] == "| 100 of every minute, all due at :00 | – | – | the last 4.71 s late | – |"
        assert rows[4] == "| 1,000 of every minute, all due at :00 | – | – | **too many** | – |"

    def test_limits_are_told_to_two_digits(self) -> None:
        rows = [*Limits().lines(limits(runs_per_s=20.4))]
        assert rows[5] == "| of every minute, spread over it, at most | – | – | 1,200 | – |"
        assert rows[6] == "| of every hour, spread over it, at most | – | – | 73,000 | – |"
