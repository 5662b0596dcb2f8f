"""Frigate, the video recorder: what its cameras see, heard over MQTT."""
