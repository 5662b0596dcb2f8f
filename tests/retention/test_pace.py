"""How many rows a transaction takes, and how long it is quiet after it."""

from retention.pace import Pace


def pace_of(size, *, largest=10_000, one_writer=False):
    pace = Pace(largest, one_writer=one_writer)
    pace.size = size
    return pace


def test_a_transaction_that_took_too_long_halves_the_next():
    pace = pace_of(800)

    pace.after(0.06)

    assert pace.size == 400


def test_a_quick_transaction_doubles_the_next():
    pace = pace_of(800)

    pace.after(0.02)

    assert pace.size == 1_600


def test_a_size_that_fits_stays():
    pace = pace_of(800)

    pace.after(0.04)

    assert pace.size == 800


def test_a_batch_never_becomes_larger_than_it_may_be():
    pace = Pace(600, one_writer=False)

    pace.after(0.001)

    assert pace.size == 600


def test_a_batch_never_becomes_smaller_than_ten_rows():
    pace = pace_of(11)

    pace.after(2.0)

    assert pace.size == 10


def test_where_one_may_write_at_a_time_the_rest_is_as_long_as_the_transaction():
    assert pace_of(800, one_writer=True).after(0.03) == 0.03


def test_where_one_may_write_at_a_time_there_is_a_rest_after_the_quickest_transaction():
    assert pace_of(800, one_writer=True).after(0.0001) == 0.005


def test_where_rows_are_locked_one_by_one_there_is_no_rest():
    assert pace_of(800).after(0.03) == 0.0
