"""Room 4: what people and browsers see of the scheduler. Projects mount ``web.urls`` and ``web.routing``."""
