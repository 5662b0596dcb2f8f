"""Migrates the database of DATABASE_URL, puts an administrator and a resident in, and prints their session keys."""

import json
import sys

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402

PASSWORD = "correct horse battery staple"


def session_key(user):
    client = Client()
    client.force_login(user)
    return client.session.session_key


def main():
    call_command("migrate", verbosity=0)
    users = get_user_model().objects
    people = {
        "admin": users.create_superuser("admin", password=PASSWORD),
        "resident": users.create_user("resident", password=PASSWORD),
    }
    sys.stdout.write(json.dumps({name: session_key(user) for name, user in people.items()}))


if __name__ == "__main__":
    main()
