"""A process of its own that does, at each line it reads, what the line says, and prints what came of it."""

import sys

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.utils import timezone  # noqa: E402
from pydantic import SecretStr  # noqa: E402

from alarm import arming, operate, timers  # noqa: E402

settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def try_code(code):
    user = get_user_model().objects.get(username="resident")
    person = operate.Person(user=user, address="192.0.2.7")
    try:
        operate.operate(arming.Command.DISARM, person, code=SecretStr(code), now=timezone.now())
    except operate.Refused as refused:
        return type(refused).__name__
    return "done"


def do(verb, *arguments):
    match verb:
        case "look":
            timers.look()
            return arming.current().state.value
        case "enter":
            return str(arming.command(arming.Command.ENTER, by="rule:1", now=timezone.now()) is not None)
        case "try":
            return ",".join(try_code(code) for code in arguments)


def main():
    for line in sys.stdin:
        sys.stdout.write(f"{do(*line.split())}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
