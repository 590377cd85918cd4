"""The menu of application hubs: what a user may start, and the form to choose from it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from hubconfig.homes.homes import NEARLY_FULL, HomeUsage
from hubconfig.options import LAB, NOTEBOOK, Application, Interface, Limits
from hubconfig.pages.templates_dir import TEMPLATES
from hubconfig.servers.not_started import NotStartedError

EVERYWHERE = (
    Interface(name=LAB, title="JupyterLab", path="/lab"),
    Interface(name=NOTEBOOK, title="Classic Notebook", path="/tree"),
)
"""The interfaces that each image has."""

MAKE_ROOM = "make_room"
"""The option of somebody whose home is full: they start a server to remove files."""


@dataclass(frozen=True)
class Choice:
    """What a user starts."""

    application: Application
    interface: Interface

    def as_options(self) -> dict[str, str]:
        """The form in which JupyterHub remembers it."""
        return {"application": self.application.name, "interface": self.interface.name}


@dataclass(frozen=True)
class Menu:
    """All entries, and who may see which."""

    entries: Sequence[Application]
    limits: Limits
    may_see: Callable[[str, Collection[str]], bool]
    """Asked with a user's name and an entry's `who`."""

    def of(self, user: str) -> list[Application]:
        """The entries for one user."""
        return [entry for entry in self.entries if not entry.who or self.may_see(user, entry.who)]

    def choose(self, user: str, options: Mapping[str, Any]) -> Choice:
        """What the options ask for; without any, the entry that is preselected.

        Raises NotStartedError for anything that is not on the user's menu.
        """
        entries = self.of(user)
        if not entries:
            raise NotStartedError(
                403, "There is no application hub on your menu. Please ask your administrator."
            )
        asked = options.get("application")
        entry = next((each for each in entries if each.name == asked), None)
        if entry is None:
            if asked is not None:
                raise NotStartedError(403, "What you chose is not on your menu. Please choose again.")
            entry = next((each for each in entries if each.default), entries[0])
        wanted = options.get("interface", entry.interface)
        of_entry = {each.name: each for each in (*EVERYWHERE, *entry.interfaces)}
        if isinstance(wanted, str) and wanted in of_entry:
            return Choice(entry, of_entry[wanted])
        if any(wanted == each.name for other in entries for each in other.interfaces):
            # Preselected for another entry, in a browser that does not hide what this one lacks.
            return Choice(entry, of_entry[entry.interface])
        titles = ", ".join(each.title for each in of_entry.values())
        raise NotStartedError(403, f"{entry.title} has no such interface. Choose one of: {titles}.")

    def form(self, user: str, last: Mapping[str, Any], room: HomeUsage | None = None) -> str:
        """The form's HTML, with the last choice preselected if it is still there.

        :param room: what the user's home holds of what it may.
        """
        try:
            chosen = self.choose(user, last)
        except NotStartedError:
            entries = self.of(user)
            if not entries:
                return _template("menu_empty.html")
            chosen = self.choose(user, {})
        return _template(
            "menu.html",
            entries=self.of(user),
            chosen=chosen.application.name,
            interface=chosen.interface.name,
            everywhere=EVERYWHERE,
            room=room,
            nearly_full=room is not None and room.share >= NEARLY_FULL,
            make_room=MAKE_ROOM,
            memory=lambda entry: _amount(entry.memory_mb or self.limits.memory_mb),
            cpus=lambda entry: f"{entry.cpus or self.limits.cpus:g}",
        )


def options_from_form(form: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """What the form's fields say; whether it is allowed is asked when the server starts."""
    return {key: form[key][0] for key in ("application", "interface", MAKE_ROOM) if form.get(key)}


def _amount(memory_mb: int) -> str:
    return f"{round(memory_mb / 1024, 1):g} GB" if memory_mb >= 1024 else f"{memory_mb} MB"


_pages = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True
)


def _template(name: str, **values: Any) -> str:
    return _pages.get_template(name).render(**values)
