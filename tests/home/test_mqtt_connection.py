"""The connection to a real broker: lost and found, refused, and over TLS."""

import asyncio
import gc
import logging
from contextlib import asynccontextmanager

import pytest

from home import status
from home.models import FrigateDetection
from home.tasks import mqtt
from tests.home.frigate_messages import event
from tests.home.mqtt_service import connected, error_of_connection, following, publish
from tests.support.deadline import eventually
from tests.support.mosquitto import running_mosquitto, signed
from tests.support.ports import free_port

pytestmark = pytest.mark.django_db(transaction=True)

# The library leaves a socket whose handshake failed to the garbage collector.
leaves_a_socket = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


async def test_a_broker_that_is_killed_and_comes_back_is_found_again(broker, caplog):
    caplog.set_level(logging.INFO, logger="home")
    async with following() as task:
        await asyncio.to_thread(broker.kill)
        await eventually(lambda: not connected() and status.snapshot()["mqtt"]["error"])
        assert status.snapshot()["mqtt"]["error"].startswith("MQTT broker at 127.0.0.1:")
        assert status.snapshot()["frigate"]["error"] == "unknown while MQTT is not connected"
        await asyncio.to_thread(broker.start)
        await eventually(connected)
        await publish(broker, event("new"))
        await eventually(FrigateDetection.objects.acount)
        assert not task.done()

    about_mqtt = [record.action for record in caplog.records if getattr(record, "integration", "") == "MQTT"]
    assert about_mqtt == ["outage_began", "outage_ended"]
    loud = [r for r in caplog.records if r.levelno >= logging.WARNING and r.name != "paho.mqtt.client"]  # the publisher
    assert len(loud) == 1


@asynccontextmanager
async def pretended_broker(serve):
    """Give the address of a server that hands each first packet, a CONNECT, and the connection to *serve*."""
    gone = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(await read_packet(reader), reader, writer)
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await gone.wait()


async def read_packet(reader: asyncio.StreamReader) -> bytes:
    header = await reader.readexactly(2)
    return await reader.readexactly(header[1])


async def test_a_broker_that_refuses_a_topic_is_said(settings):
    async def refuse(_: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the connection and answer the first subscription with 0x87, not authorized."""
        writer.write(b"\x20\x03\x00\x00\x00")
        subscription = await read_packet(reader)
        writer.write(b"\x90\x04" + subscription[:2] + b"\x00\x87")

    async with pretended_broker(refuse) as settings.MQTT_URL:
        assert "does not let us read frigate/available" in await error_of_connection()


async def test_a_broker_that_does_not_know_mqtt_5_is_spoken_to_in_3(settings, caplog):
    async def serve(connect: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Refuse the version, or take connection and subscriptions, as MQTT 3.1.1 has it."""
        if connect[6] == 5:
            writer.write(b"\x20\x02\x00\x01")
            return
        writer.write(b"\x20\x02\x00\x00")
        for _ in range(4):
            subscription = await read_packet(reader)
            writer.write(b"\x90\x03" + subscription[:2] + b"\x01")

    async with pretended_broker(serve) as settings.MQTT_URL, following():
        assert status.snapshot()["mqtt"] == {"configured": True, "connected": True, "error": None}
    assert not [record for record in caplog.records if record.name == "home.status"]


async def test_a_refused_password_is_said_and_not_shown(broker, settings, caplog):
    settings.MQTT_URL = broker.url.replace("s3cret", "wr0ng")
    error = await error_of_connection()

    assert error == f"MQTT broker at 127.0.0.1:{broker.port}: [code:135] Not authorized"
    assert "wr0ng" not in caplog.text


@pytest.fixture
def trusting(monkeypatch):
    """Return a function that makes this process trust the authority of a certificate."""
    return lambda certificate: monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))


async def test_over_tls_a_broker_that_ones_own_authority_vouches_for_is_taken(tmp_path, settings, trusting):
    certificate = signed(tmp_path)
    trusting(certificate)
    with running_mosquitto(certificate=certificate, password="s3cret") as broker:
        settings.MQTT_URL = broker.url
        async with following():
            await publish(broker, event("new"))
            await eventually(FrigateDetection.objects.acount)

            assert status.snapshot()["mqtt"]["error"] is None


@leaves_a_socket
@pytest.mark.parametrize(
    ("name", "is_trusted", "reason"),
    [
        ("IP:127.0.0.1", False, "unable to get local issuer certificate"),
        ("DNS:broker.example", True, "IP address mismatch, certificate is not valid for '127.0.0.1'"),
    ],
)
async def test_over_tls_an_unknown_authority_and_another_name_are_refused(
    tmp_path, settings, trusting, caplog, name, is_trusted, reason
):
    certificate = signed(tmp_path, name=name)
    if is_trusted:
        trusting(certificate)
    with running_mosquitto(certificate=certificate, password="s3cret") as broker:
        settings.MQTT_URL = broker.url
        error = await error_of_connection()
        gc.collect()

    assert error.startswith(f"MQTT broker at 127.0.0.1:{broker.port}: its certificate is not trusted: {reason}")
    assert "s3cret" not in error + caplog.text


async def test_a_broker_that_is_not_there_is_said(settings):
    port = free_port()
    settings.MQTT_URL = f"mqtt://user:s3cret@127.0.0.1:{port}"

    assert await error_of_connection() == f"MQTT broker at 127.0.0.1:{port}: Connection refused"


async def test_an_address_that_cannot_be_read_ends_the_service_with_a_reason(settings):
    settings.MQTT_URL = "tcp://u:s3cret@broker"
    with pytest.raises(Exception, match="must begin with mqtt://"):
        await mqtt()

    assert "must begin with mqtt://" in status.snapshot()["mqtt"]["error"]
