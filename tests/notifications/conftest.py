import json
import logging
import threading
import warnings
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import apprise
import pytest
import time_machine

from asyncsched.engine.context import Entered, Run
from asyncsched.engine.runs import Claim, Occurrence


class Receiver:
    """An HTTP server that takes notifications: it keeps what it got and answers with ``status``."""

    def __init__(self):
        self.status = 200
        self.received = []
        self.arrivals = 0  # messages that came, whether or not they were answered yet
        self.asked = threading.Event()
        self._may_answer = threading.Event()
        self._may_answer.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.asked.set()
                receiver.arrivals += 1
                receiver._may_answer.wait(30)
                if receiver.status == 200:
                    receiver.received.append(json.loads(body))
                with suppress(ConnectionError):  # a sender that was killed wants no answer
                    self.send_response(receiver.status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *arguments):
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def port(self):
        return self._server.server_port

    @property
    def url(self):
        """Its address, as Apprise writes it."""
        return f"json://127.0.0.1:{self.port}/"

    @property
    def titles(self):
        return [content["title"] for content in self.received]

    @property
    def bodies(self):
        return [content["message"] for content in self.received]

    def hang(self):
        """Answer nobody until ``go_on``; ``asked`` is set once somebody waits."""
        self.asked.clear()
        self._may_answer.clear()

    def go_on(self):
        """Answer those who wait, and everybody from now on."""
        self._may_answer.set()

    def close(self):
        """Refuse connections from now on; may be called twice."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="session", autouse=True)
def _apprise_plugins():
    """Apprise loads its plugins with its first address, and some of them import what Python deprecates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        apprise.Apprise().add("json://127.0.0.1")


@pytest.fixture
def make_receiver():
    made = []

    def make():
        made.append(Receiver())
        return made[-1]

    yield make
    for receiver in made:
        receiver.close()


@pytest.fixture
def receiver(make_receiver):
    return make_receiver()


@pytest.fixture
def clock():
    """The time of the test, which stands still: ``clock.shift(seconds)``, ``clock.move_to(moment)``."""
    with time_machine.travel(datetime(2026, 11, 23, 12, 0, tzinfo=UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def inside_a_run():
    """Returns a function that calls another inside of a run that goes on, or that should stop."""

    def call(function, *, stopping):
        run = Run(Claim(occurrence=Occurrence(task="send", scheduled_for=datetime.now(UTC)), run_id="1"))
        if stopping:
            run.stop()
        with Entered(run):
            return function()

    return call


class Records(logging.Handler):
    """Keeps what reaches the root logger, and so the log of this deployment."""

    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)

    @property
    def text(self):
        return "\n".join(self.format(record) for record in self.records)


@pytest.fixture
def house_log():
    """The log at its chattiest. Not caplog, which hears also what is kept from the log."""
    root, handler = logging.getLogger(), Records()
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    yield handler
    root.setLevel(level)
    root.removeHandler(handler)
