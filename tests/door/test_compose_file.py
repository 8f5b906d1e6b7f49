"""docker-compose.yml against the Compose schema, and the walls it must keep."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from novapulse import containers, env

SCHEMA = Path(__file__).parent / "compose_spec" / "compose-spec.json"
APPLICATION = ("migrate", "web", "stream", "engines", "worker", "research", "beat")


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load((env.PROJECT_ROOT / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def validator() -> jsonschema.protocols.Validator:
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


def test_the_file_holds_to_the_schema(compose, validator):
    assert [error.message for error in validator.iter_errors(compose)] == []


def test_the_schema_would_notice_a_mistake(compose, validator):
    broken = {**compose, "services": {**compose["services"], "web": {"imagee": "x"}}}

    assert not validator.is_valid(broken)


@pytest.mark.parametrize("name", APPLICATION)
def test_our_containers_run_without_rights_over_a_read_only_image(compose, name):
    service = compose["services"][name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", APPLICATION)
def test_our_containers_are_configured_by_known_variables(compose, name):
    assert set(compose["services"][name]["environment"]) <= env.variable_names()


def test_only_the_proxy_is_reached_from_outside(compose):
    assert [name for name, service in compose["services"].items() if "ports" in service] == [
        "proxy"
    ]


def test_every_secret_the_file_asks_for_is_made(compose, tmp_path):
    text = (env.PROJECT_ROOT / "docker-compose.yml").read_text()

    made = containers.ensure_secrets(tmp_path / "docker" / "compose.env")

    names = {line.split("=")[0] for line in made.read_text().splitlines()}
    assert all(f"${{{name}:?" in text for name in names)
    assert names == {
        part.split(":?")[0] for part in text.split("${")[1:] if ":?" in part.split("}")[0]
    }
    assert made.stat().st_mode & 0o077 == 0


def test_secrets_are_made_once(tmp_path):
    path = tmp_path / "compose.env"
    first = containers.ensure_secrets(path).read_text()

    assert containers.ensure_secrets(path).read_text() == first
