"""The project that is served: `asgi:application`."""
