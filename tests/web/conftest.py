import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from tests.support.browser import running_browser
from tests.support.site import Site
from tests.web.scheduler_site import SchedulerSite, prepare


@pytest.fixture(scope="module")
def site(people, tmp_path_factory):
    """A running deployment with nothing configured, shared by the tests of a module."""
    with Site(tmp_path_factory.mktemp("site"), people) as running:
        yield running


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """The database of somebody else's project, to be copied."""
    return prepare(tmp_path_factory.mktemp("prepared"))


@pytest.fixture(scope="module")
def project(prepared, tmp_path_factory):
    """Somebody else's project, running, with the scheduler's own pages."""
    with SchedulerSite(tmp_path_factory.mktemp("project"), prepared) as running:
        yield running


@pytest.fixture
def person(client):
    """Return a function that signs somebody in who has these permissions."""

    def sign_in(*permissions, **facts):
        user = get_user_model().objects.create_user("anna", **facts)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture(scope="module")
def browser():
    with running_browser() as running:
        yield running


@pytest.fixture
def open_page(browser):
    """Return a function that opens a page of a site, as somebody, and keeps what the browser complains of."""
    contexts = []

    def open_it(site, person="admin", path="/", **options):
        context = browser.new_context(**options)
        contexts.append(context)
        context.add_cookies([{"name": "sessionid", "value": site.cookie(person).partition("=")[2], "url": site.url}])
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(f"{site.url}{path}")
        return page

    yield open_it
    for context in contexts:
        context.close()
