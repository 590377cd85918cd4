"""A writer of a stack file is told in the file's own words what is wrong, wherever it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, get_args

import pulumi
import pytest
from pydantic import BaseModel, StringConstraints

from hubconfig.options import HubOptions
from infra.stack.rules import FORMS
from infra.stack.settings import Settings
from tests.unit.test_stack_file import read

PYTHON = re.compile(r"Input should|tuple|valid string|validation|\^|\$\)|dictionary|NoneType")


def told(hub: dict[str, Any] | None = None, **sections: Any) -> str:
    """What the writer of these settings is told."""
    settings = {"cloud": {"kind": "local"}, "hub": {"auth": {"kind": "sharedPassword"}, **(hub or {})}}
    with pytest.raises(pulumi.RunError) as caught:
        read({**settings, **sections})
    message = str(caught.value)
    assert not PYTHON.search(message), message
    return message


def entry(**changed: Any) -> dict[str, Any]:
    return {"menu": [{"name": "a", "title": "A", "image": "a/b", **changed}]}


def space(**changed: Any) -> dict[str, Any]:
    return {"spaces": [{"name": "data", "source": "data", "mount": "/data", **changed}]}


WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a date as a tag": ({"images": {"tag": "2026-11-01 00:00:00 +0000 UTC"}}, {}, "images.tag: is a date"),
    "a date as a flavor": (
        {"cloud": {"kind": "openstack", "flavor": "2024-01-15 00:00:00 +0000 UTC"}},
        {},
        "cloud.flavor: is a date",
    ),
    "a date as a title": ({}, entry(title="2024-01-15 00:00:00 +0000 UTC"), "hub.menu[0].title: is a date"),
    "a star for everybody": ({}, {"access": {"allow": ["ada", "*"]}}, "hub.access.allow[1]: has a *"),
    "a row of a table as a person": (
        {},
        {"admins": ["ada, ada@uvic.ca"]},
        "hub.admins[0]: is not understood",
    ),
    "a whole name as a person": ({}, {"admins": ["bob", "Ada Lovelace"]}, "hub.admins[1]: is not understood"),
    "an address elsewhere as a person": ({}, {"admins": ["gitlab.com/ada"]}, "hub.admins[0]: is not"),
    "a comment as a person": ({}, entry(who=["# ada"]), "hub.menu[0].who[0]: is not understood"),
    "an octal as a person": ({}, {"admins": [7]}, "hub.admins[0]: is a number for YAML"),
    "a number as a flavor": ({"cloud": {"kind": "openstack", "flavor": 4}}, {}, "put it in quotes"),
    "yes as a title": ({}, entry(title=True), "put it in quotes"),
    "an empty value": ({}, entry(title=None), "hub.menu[0].title: is empty"),
    "one word for a list": ({}, {"admins": "ada"}, "hub.admins: must be a list"),
    "a list for one word": ({"web": {"hostname": ["a.b"]}}, {}, "web.hostname: must be one text"),
    "an address as a hostname": ({"web": {"hostname": "https://a.b/"}}, {}, "no https:// before it"),
    "a port behind a hostname": ({"web": {"hostname": "a.b:8443"}}, {}, "no port"),
    "docker:// before an image": ({}, entry(image="docker://a/b"), "as `docker pull` takes it"),
    "https:// before an image": ({}, entry(image="https://a/b"), "as `docker pull` takes it"),
    "a unit behind a size": ({"cloud": {"kind": "openstack", "dataGb": "20 GB"}}, {}, "without a unit"),
    "a choice that there is not": ({}, {"access": {"mode": "all"}}, "hub.access.mode: must be 'auto'"),
    "text where settings are": ({"web": "hub.example.org"}, {}, "cyberhubs:web: "),
    "a name before an e-mail": (
        {"web": {"hostname": "a.ca", "tls": {"kind": "acme", "email": "Ada <ada@a.b>"}}},
        {},
        "web.tls.email: has a form that cannot be; write one plain address",
    ),
    "two e-mails": (
        {"web": {"hostname": "a.ca", "tls": {"kind": "acme", "email": "a@b.c, d@b.c"}}},
        {},
        "web.tls.email",
    ),
    "mailto: before an e-mail": (
        {"web": {"hostname": "a.ca", "tls": {"kind": "acme", "email": "mailto:a@b.c"}}},
        {},
        "web.tls.email",
    ),
    "a token in a repository": (
        {},
        {"menu": [{"name": "a", "title": "A", "git": {"url": "https://HUNTER2@github.com/a/b"}}]},
        "hub.menu[0].git.url: holds a name or a token",
    ),
    "a mere date as the end": (
        {},
        {"access": {"openUntil": "2026-11-30 00:00:00 +0000 UTC"}},
        "hub.access.openUntil: is a time for YAML",
    ),
    "words as the end": ({}, {"access": {"openUntil": "end of November"}}, "in quotes"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_in_words(case: str) -> None:
    sections, hub, words = WRONG[case]
    message = told(hub, **sections)
    assert words in message, message
    assert "HUNTER2" not in message
    assert "1 wrong setting;" in message


@pytest.mark.parametrize(
    "mount",
    [
        *("/", "/home/user", "/home", "/etc/jupyter", "/usr", "/data/../etc", "/proc/1"),
        *("//etc", "///usr/bin", "/./etc", "/opt/conda/envs", "/opt/jupyter", "/srv/spaces/x", "/var/run"),
        *("/home/user/.jupyter", "/home/user/.local/share", "/home/user/.ssh", "/home/./user"),
    ],
)
def test_a_shared_folder_hides_nothing_that_servers_need(mount: str) -> None:
    message = told(space(mount=mount))
    assert "hub.spaces[0].mount" in message or "spaces: data: " in message


@pytest.mark.parametrize(
    ("home", "mount"),
    [
        ("/home/jovyan", "/home/jovyan"),
        ("/home/jovyan", "/home/jovyan/.config"),
        ("/work/me", "/work"),
        ("/root", "/data/.."),
    ],
)
def test_a_shared_folder_hides_no_home_of_any_menu_entry(home: str, mount: str) -> None:
    menu = [
        {"name": "a", "title": "A", "image": "a/b"},
        {"name": "b", "title": "B", "image": "b", "home": home},
    ]
    message = told({"menu": menu, **space(mount=mount)})
    assert "would hide" in message or "may not contain" in message


@pytest.mark.parametrize("home", ["/", "/home", "/etc", "/usr/src", "//usr", "/opt/conda", "/a/../etc"])
def test_a_home_hides_nothing_that_its_image_needs(home: str) -> None:
    assert "hub.menu[0].home: " in told(entry(home=home))


@pytest.mark.parametrize("mount", ["/data", "/home/user/shared", "/mnt/arc", "/opt/software"])
def test_a_shared_folder_may_be_anywhere_else(mount: str) -> None:
    found = read(
        {"cloud": {"kind": "local"}, "hub": {"auth": {"kind": "sharedPassword"}, **space(mount=mount)}}
    )
    assert found.hub.spaces[0].mount == mount


PASTED = {
    "a comma at the end": ("ada,", ["ada"]),
    "several in quotes": ("\"ada\", 'bob'", ["ada", "bob"]),
    "a semicolon": ("carol;", ["carol"]),
    "addresses": ("https://github.com/ada, github.com/orgs/uvic", ["ada", "org:uvic"]),
    "a set of a program": ("{'ada', 'bob'}", ["ada", "bob"]),
    "a mail's sender": ("Ada Lovelace <ada@uvic.ca>", ["ada@uvic.ca"]),
    "a comment behind": ("ada:12  # the first", ["ada:12"]),
    "invisible signs": ("\ufeff\u200bada\u00a0", ["ada"]),
    "a team's page": ("https://github.com/orgs/uvic/teams/stars", ["team:uvic/stars"]),
}


@pytest.mark.parametrize("case", PASTED)
def test_people_are_named_in_a_stack_file_as_in_a_list(case: str) -> None:
    text, meant = PASTED[case]
    hub = {
        "auth": {"kind": "github"},
        "admins": [text],
        "access": {"allow": ["x", text]},
        **entry(who=[text]),
    }
    found = read({"cloud": {"kind": "local"}, "hub": hub}).hub
    assert list(found.admins) == meant
    assert list(found.access.allow) == ["x", *meant]
    assert list(found.menu[0].who) == meant
    again = HubOptions.model_validate_json(found.model_dump_json(by_alias=True))
    assert again == found, "the hub reads the same"


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-30 18:00:00 -0800 -0800",
        "2026-11-30 18:00:00 -0800 PST",
        "2026-11-30 18:00:00.123456789 -0800 -0800",
        "2026-12-01 07:30:00 +0530 +0530",
        "2026-11-30T18:00:00-08:00",
    ],
)
def test_a_time_without_quotes_is_the_time_that_was_meant(written: str) -> None:
    hub = {"auth": {"kind": "sharedPassword"}, "access": {"openUntil": written}}
    until = read({"cloud": {"kind": "local"}, "hub": hub}).hub.access.open_until
    assert until is not None
    assert abs(until - datetime.fromisoformat("2026-12-01T02:00:00+00:00")) < timedelta(seconds=1)


@pytest.mark.parametrize("hub", ["astro", "auth", "cloud", "tls", "spaces"])
def test_a_fault_of_a_further_hub_is_named_as_the_file_writes_it(hub: str) -> None:
    options = {"auth": {"kind": "github", "x": 1}, "spaces": [{"kind": "sshfs", "name": "a"}], "memoryMb": 1}
    message = told(hubs={hub: options})
    assert f"cyberhubs:hubs.{hub}.auth.x: is not a setting" in message
    assert f"cyberhubs:hubs.{hub}.spaces[0].remote: is required" in message
    assert f"cyberhubs:hubs.{hub}.memoryMb: is not a setting" in message


def test_a_hub_whose_name_cannot_be_is_named() -> None:
    assert "cyberhubs:hubs.My Hub: has a form that cannot be; a hub's name" in told(hubs={"My Hub": {}})


def _with_a_form(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        parts: list[Any] = [field.annotation, *field.metadata]
        while parts:
            part = parts.pop()
            if isinstance(part, StringConstraints) and part.pattern:
                yield field.alias or name
            elif isinstance(part, type) and issubclass(part, BaseModel):
                yield from _with_a_form(part)
            parts += get_args(part)
            parts += getattr(part, "__metadata__", ())


def test_every_form_is_told_in_words() -> None:
    found = set(_with_a_form(Settings))
    assert {"hostname", "mount", "ref"} <= found
    assert found <= set(FORMS)
