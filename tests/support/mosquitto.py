"""A real MQTT broker for tests: Debian's mosquitto as a process on a port of its own.

with running_mosquitto() as broker:
    broker.url               # fit for MQTT_URL
    broker.kill(); broker.start()
    broker.publish("frigate/events", b"...")
"""

import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from paho.mqtt import publish
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.ports import free_port
from tests.support.programs import program


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate, its key, and the certificate of the authority that vouches for it, as files."""

    certificate: Path
    key: Path
    authority: Path


class Mosquitto:
    """One broker on one port of 127.0.0.1, whether it is running or not.

    With a password it asks for it; with a certificate it speaks TLS only. It keeps any number of
    messages for a client that is slow.
    """

    def __init__(
        self, program: str, folder: Path, *, password: str | None = None, certificate: Certificate | None = None
    ) -> None:
        self.port = free_port()
        self.password = password
        self.certificate = certificate
        self._command = [program, "-c", str(folder / "mosquitto.conf")]
        self._process: subprocess.Popen[bytes] | None = None
        # Started by root it would become another user, who may not read our folder.
        lines = [f"listener {self.port} 127.0.0.1", "user root", "persistence false", "log_dest none"]
        # Else it throws away what a client has not fetched beyond the first thousand messages.
        lines.append("max_queued_messages 0")
        if password is None:
            lines.append("allow_anonymous true")
        else:
            passwords = folder / "passwords"
            passwords.write_text(f"alarm:{password}\n")
            subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, timeout=10, capture_output=True)
            lines += ["allow_anonymous false", f"password_file {passwords}"]
        if certificate is not None:
            lines += [f"certfile {certificate.certificate}", f"keyfile {certificate.key}"]
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    @property
    def url(self) -> str:
        account = f"alarm:{quote(self.password, safe='')}@" if self.password else ""
        return f"{'mqtts' if self.certificate else 'mqtt'}://{account}127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and return once it takes connections."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not _takes_connections(self.port):
            assert self._process.poll() is None, f"mosquitto exited with {self._process.returncode}"
            assert time.monotonic() < deadline, "mosquitto did not start"

    def stop(self) -> None:
        """Ask it to end, which closes its connections."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a word; retained messages are gone."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop it and start it on the same port."""
        self.stop()
        self.start()

    def publish(self, topic: str, *payloads: bytes | str, retain: bool = False) -> None:
        """Publish *payloads* in this order and return once the broker has them."""
        auth = {"username": "alarm", "password": self.password} if self.password else None
        messages = [{"topic": topic, "payload": payload, "qos": 1, "retain": retain} for payload in payloads]
        tls = {"ca_certs": str(self.certificate.authority)} if self.certificate else None
        publish.multiple(messages, hostname="127.0.0.1", port=self.port, auth=auth, tls=tls)

    def publish_steadily(self, topic: str, payloads: Sequence[bytes], *, per_second: int) -> None:
        """Publish *payloads* at that rate and return once the broker has them."""
        client = Client(CallbackAPIVersion.VERSION2)
        client.max_inflight_messages_set(1000)
        if self.password:
            client.username_pw_set("alarm", self.password)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        started = time.monotonic()
        sent = []
        for number, payload in enumerate(payloads):
            if number % (per_second // 100) == 0:
                time.sleep(max(0.0, started + number / per_second - time.monotonic()))
            sent.append(client.publish(topic, payload, qos=1))
        for message in sent:
            message.wait_for_publish(60)
        client.disconnect()
        client.loop_stop()

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None


@contextmanager
def running_mosquitto(*, password: str | None = None, certificate: Certificate | None = None) -> Iterator[Mosquitto]:
    """Start a broker; stop it at the end. Skips the test where there is none (fails under CI)."""
    executable = program("mosquitto")
    with tempfile.TemporaryDirectory(prefix="mosquitto-") as folder:
        broker = Mosquitto(executable, Path(folder), password=password, certificate=certificate)
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


def signed(folder: Path, *, name: str = "IP:127.0.0.1") -> Certificate:
    """Make an authority of one's own, and a certificate that it has signed, for *name*: ``IP:…`` or ``DNS:…``."""
    made = Certificate(
        certificate=folder / "certificate.pem", key=folder / "key.pem", authority=folder / "authority.pem"
    )
    authority_key = folder / "authority-key.pem"
    _openssl(f"-keyout {authority_key} -out {made.authority} -subj /CN=home")
    _openssl(
        f"-keyout {made.key} -out {made.certificate} -subj /CN=broker -CA {made.authority} -CAkey {authority_key}"
        f" -addext subjectAltName={name} -addext basicConstraints=critical,CA:FALSE"
    )
    return made


def _openssl(options: str) -> None:
    command = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 {options}"
    subprocess.run(command.split(), check=True, capture_output=True, timeout=30)


def _takes_connections(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
