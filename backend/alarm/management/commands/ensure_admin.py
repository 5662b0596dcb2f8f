"""``manage.py ensure_admin``: the first start makes an account, later ones leave it alone."""

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db import IntegrityError, transaction


class Command(BaseCommand):
    """Create the user ``admin`` with a random password, shown once; do nothing if there is one."""

    help = "Create the user 'admin' with a random password, shown once; do nothing if there is one."

    def handle(self, *args: Any, **options: Any) -> None:
        users = get_user_model().objects
        if users.filter(username="admin").exists():
            return
        password = secrets.token_urlsafe(12)
        try:
            with transaction.atomic():
                users.create_superuser("admin", password=password)
        except IntegrityError:
            return  # somebody else was quicker, and shows theirs
        self.stdout.write(f"Sign in as admin, password: {password}")
