"""Static files under plain Daphne, without collectstatic and without DEBUG."""

import pytest


@pytest.mark.parametrize(
    "path",
    [
        "/static/asyncsched/live.css",
        "/static/asyncsched/icon.svg",
        "/static/asyncsched/live.js",
        "/static/asyncsched/tasks.js",
        "/static/alarm/status.js",
        "/static/alarm/icon.svg",
        "/static/admin/css/base.css",
    ],
)
def test_a_file_is_served(site, path):
    response = site.server.get(path)

    assert response.status == 200
    assert len(response.body) > 100


def test_the_server_does_not_complain_about_how_they_are_served(site):
    site.server.get("/static/admin/css/base.css")

    assert "synchronous iterator" not in site.server.log
    assert "Warning" not in site.server.log
