"""A Django project as `startproject` makes it: with the scheduler, with it switched off, and without."""
