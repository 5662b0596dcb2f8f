"""An app of the project."""

from shop.celery import app

__all__ = ["app"]
