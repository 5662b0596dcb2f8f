"""Home Assistant: its states as they change, over its WebSocket API; checks, lists and service calls over REST."""
