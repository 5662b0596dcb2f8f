"""When an expired presence means a death: after 20 seconds in touch with the database, without a long break."""

from asyncsched.storage.presence import Contact


class Time:
    def __init__(self) -> None:
        self.now = 100.0
        self.contact = Contact(clock=lambda: self.now)

    def answers_for(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            self.contact.answered()
            self.now += 1


def test_at_first_it_means_nothing() -> None:
    time = Time()
    assert not time.contact.is_steady
    time.answers_for(15)
    assert not time.contact.is_steady


def test_after_a_while_it_does() -> None:
    time = Time()
    time.answers_for(20)
    assert time.contact.is_steady


def test_while_the_database_is_away_it_does_not() -> None:
    time = Time()
    time.answers_for(60)
    time.now += 11
    assert not time.contact.is_steady


def test_nor_right_after_that() -> None:
    time = Time()
    time.answers_for(60)
    time.now += 11
    time.answers_for(5)
    assert not time.contact.is_steady
    time.answers_for(15)
    assert time.contact.is_steady


def test_a_connection_that_broke_for_a_moment_changes_nothing() -> None:
    time = Time()
    time.answers_for(60)
    time.now += 5
    time.answers_for(1)
    assert time.contact.is_steady
