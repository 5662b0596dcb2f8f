"""WebSocket addresses: a session and a same-origin handshake stand before each of them."""

from channels.routing import URLRouter

websocket = URLRouter([])
