"""Rules of the house that import contracts cannot see."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from celery import current_app
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver

from novapulse.celery import BEAT_SCHEDULE

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("tenants", "trading")
OURS = [model for label in FLOORS for model in apps.get_app_config(label).get_models()]

# Views anybody may reach, or that check in a way of their own, and why.
OPEN_VIEWS = {
    "health": "answers that the process lives, nothing else",
    "style_guide": "shows no row of anybody; asks for sign-in itself",
    "welcome": "for people who have no workspace yet; asks for sign-in itself",
    "switch_workspace": "asks for sign-in and membership itself",
    "open_invitation": "for whoever holds a letter; remembers its link, shows and changes nothing",
    "invitation": "for whoever holds a letter, by the link this session opened; the act asks for sign-in",
    "api_health": "answers that the process lives, nothing else",
    "api_schema": "the published schema tells nothing of anybody",
    "api_docs": "the published schema as a page",
    "mailbox": "404 unless no mail server is configured outside production",
}


# What asks for the second factor, given a moment ago: keys of exchanges, and real orders.
STEP_UP_VIEWS = {"account_key", "account_mode", "api_account_key", "api_account_mode"}


def own_views() -> dict[str, object]:
    found: dict[str, object] = {}

    def walk(patterns: list[URLPattern | URLResolver]) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns)
            elif pattern.callback.__module__.split(".")[0] in FLOORS:
                found[str(pattern.name)] = pattern.callback

    walk(get_resolver().url_patterns)
    return found


def test_every_view_checks_a_permission_or_says_why_not() -> None:
    unchecked = {
        name for name, view in own_views().items() if not getattr(view, "needs", None)
    } - OPEN_VIEWS.keys()

    assert unchecked == set()
    assert OPEN_VIEWS.keys() <= own_views().keys()


def test_what_is_dangerous_asks_for_the_second_factor() -> None:
    asking = {name for name, view in own_views().items() if getattr(view, "needs_step_up", None)}

    assert asking == STEP_UP_VIEWS


def test_every_task_names_its_queue_and_takes_keywords_only() -> None:
    current_app.loader.import_default_modules()
    tasks = [t for name, t in current_app.tasks.items() if name.split(".")[0] in FLOORS]

    assert tasks
    for task in tasks:
        parameters = inspect.signature(task.run).parameters.values()
        assert task.queue in ("default", "research", "charts"), task.name
        assert all(p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD) for p in parameters), task.name
        assert any(p.kind is p.VAR_KEYWORD for p in parameters), task.name


def test_beat_calls_only_tasks_that_exist() -> None:
    current_app.loader.import_default_modules()

    assert {str(entry["task"]) for entry in BEAT_SCHEDULE.values()} <= set(current_app.tasks)


@pytest.mark.parametrize("model", OURS, ids=lambda m: m._meta.label)
def test_every_model_has_an_admin_screen(model: type[models.Model]) -> None:
    assert admin.site.is_registered(model)


@pytest.mark.parametrize("model", OURS, ids=lambda m: m._meta.label)
def test_foreign_keys_point_down_the_house(model: type[models.Model]) -> None:
    here = FLOORS.index(model._meta.app_label)
    targets = [f.related_model for f in model._meta.concrete_fields if f.related_model]
    above = [
        t._meta.label
        for t in targets
        if t._meta.app_label in FLOORS and FLOORS.index(t._meta.app_label) > here
    ]

    assert above == []


@pytest.mark.parametrize("model", OURS, ids=lambda m: m._meta.label)
def test_no_column_is_a_binary_float(model: type[models.Model]) -> None:
    assert not [f.name for f in model._meta.fields if isinstance(f, models.FloatField)]


def test_the_web_process_never_loads_the_compiler() -> None:
    code = (
        "import django, sys; django.setup();"
        "import novapulse.urls, trading.views, trading.consumers, trading.admin, trading.tasks;"
        "sys.exit('numba' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)

    assert done.returncode == 0


def test_pages_use_no_inline_script_or_style() -> None:
    pages = sorted((ROOT / "templates").rglob("*.html"))
    guilty = [
        page.name
        for page in pages
        if any(sign in page.read_text() for sign in ('style="', "<style", "onclick=", "<script>"))
    ]

    assert pages
    assert guilty == []


def test_what_asks_first_asks_in_the_dialog_of_the_house() -> None:
    written = (*(ROOT / "templates").rglob("*.html"), *(ROOT / "static" / "js").glob("*.js"))
    askers = ("hx-confirm", "confirm(", "alert(", "prompt(")

    guilty = [one.name for one in written if any(asker in one.read_text() for asker in askers)]

    assert len(written) > 80
    assert guilty == []
