"""Run now, pause and resume by POST: who may, what is answered, and what is written down."""

import logging

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from asyncsched.models import TaskState

pytestmark = pytest.mark.django_db

TASK = "cleanup_old_events"
JSON = {"Accept": "application/json"}
PAGE = {"Accept": "text/html,*/*;q=0.8"}


def act(client, verb, *, task=TASK, headers=JSON, **fields):
    return client.post(f"/tasks/{task}/{verb}", fields, headers=headers)


def said(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_a_run_is_asked_for_in_the_name_of_who_wants_it(person):
    answer = act(person("run_tasks"), "run")

    assert (answer.status_code, answer.json()) == (200, {"said": f"{TASK} is to run now."})
    state = TaskState.objects.get(task=TASK)
    assert state.run_asked_at is not None
    assert state.run_asked_by == "anna"


def test_a_task_is_paused_and_resumed(person):
    client = person("run_tasks")

    assert act(client, "pause").json() == {"said": f"{TASK} is paused."}
    assert TaskState.objects.get(task=TASK).paused
    assert act(client, "pause").json() == {"said": f"{TASK} was paused already."}
    assert act(client, "resume").json() == {"said": f"{TASK} is resumed."}
    assert not TaskState.objects.get(task=TASK).paused


def test_without_a_script_the_way_leads_back_with_a_message(person):
    answer = act(person("run_tasks"), "pause", headers=PAGE, next="/")

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert said(answer) == [f"{TASK} is paused."]


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_the_way_back_never_leads_to_another_site(person, elsewhere):
    answer = act(person("run_tasks"), "pause", headers=PAGE, next=elsewhere)

    assert answer["Location"] == "/tasks/"


def test_the_way_back_may_be_any_address_of_this_site(person):
    assert act(person("run_tasks"), "pause", headers=PAGE, next="elsewhere")["Location"] == "elsewhere"


def test_who_did_it_is_logged(person, caplog):
    with caplog.at_level(logging.INFO, logger="asyncsched.web"):
        act(person("run_tasks"), "pause")

    assert [record.getMessage() for record in caplog.records if record.name == "asyncsched.web"] == [
        f"pause {TASK} by anna"
    ]


@pytest.mark.parametrize("headers", [JSON, PAGE], ids=["script", "form"])
@pytest.mark.parametrize(("task", "verb"), [("no_such_task", "run"), (TASK, "delete")])
def test_an_unknown_task_or_verb_is_not_found(person, task, verb, headers):
    assert act(person("run_tasks"), verb, task=task, headers=headers).status_code == 404
    assert not TaskState.objects.exists()


@pytest.mark.parametrize("headers", [JSON, PAGE], ids=["script", "form"])
@pytest.mark.parametrize("verb", ["run", "pause", "resume"])
def test_who_may_only_look_may_do_nothing(person, verb, headers):
    assert act(person("view_tasks", is_staff=True), verb, headers=headers).status_code == 403
    assert not TaskState.objects.exists()


def test_a_refusal_is_told_to_scripts_in_words(person):
    assert act(person(), "run").json() == {"error": "You may not run, pause or resume tasks"}


def test_a_stranger_is_sent_to_sign_in(client):
    answer = act(client, "run")

    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next=/tasks/{TASK}/run")


def test_a_link_does_nothing(person):
    assert person("run_tasks").get(f"/tasks/{TASK}/run").status_code == 405
    assert not TaskState.objects.exists()


def test_a_form_of_another_site_does_nothing(person):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = person("run_tasks").cookies

    assert act(strict, "run").status_code == 403
    assert not TaskState.objects.exists()
