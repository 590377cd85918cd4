"""From the settings to JupyterHub's configuration: one small function for each concern."""

from __future__ import annotations

import logging
import secrets
from functools import partial
from pathlib import Path
from typing import Any

from jupyterhub.app import JupyterHub
from traitlets.config import Config

from hubconfig import pruning
from hubconfig.access.gate import Folders
from hubconfig.access.rules import shown
from hubconfig.access.sign_in import configure_authenticator
from hubconfig.additions import Additions
from hubconfig.background import Job
from hubconfig.container import DATABASE, HUB_PORT
from hubconfig.database import how_to_open
from hubconfig.homes.former import to_rename
from hubconfig.homes.homes import HOMES, Homes
from hubconfig.names import FIRST_HUB
from hubconfig.next_page import lead_nowhere_else
from hubconfig.pages.announcement import Announcement
from hubconfig.pages.contact import as_html
from hubconfig.pages.templates_dir import TEMPLATES
from hubconfig.proxy import StaticProxy
from hubconfig.secret_files import SECRETS_DIR, secret
from hubconfig.servers import culling
from hubconfig.servers.computing import Computing
from hubconfig.servers.launch import PROGRAM
from hubconfig.servers.listening import listen
from hubconfig.servers.menu import Menu
from hubconfig.servers.server_limit import ServerLimit
from hubconfig.servers.spawner import START_S, Server
from hubconfig.settings import HubSettings
from hubconfig.user_hosts import part_hosts


def apply(
    settings: HubSettings,
    c: Config,
    folders: Folders | None = None,
    secrets_dir: Path = SECRETS_DIR,
    homes: Path = HOMES,
) -> list[Job]:
    """Configure a hub.

    :returns: what is to be done in the hub's event loop while it runs.
    Raises ValueError, in words for the administrator, when a secret is missing or will not do.
    """
    folders = folders or Folders()
    _addresses(settings, c)
    part_hosts(settings, c)
    _state(c, folders)
    sign_in = configure_authenticator(settings, c, folders, secrets_dir)
    menu = Menu(settings.options.menu, settings.options.limits, sign_in.gate.may_see)
    server = Server.of(settings, menu, Homes(homes, settings.homes_dir, settings.options.limits.home_gb))
    _servers(settings, c, server)
    _tell_of_former_homes(homes, logging.getLogger("JupyterHub"))
    all_of_it = Additions.all(
        [
            sign_in.additions,
            _pages(settings, folders),
            _server_ends(settings, server),
            _metrics(settings, secrets_dir),
            _culler(settings),
            _pruner(settings),
        ]
    )
    c.JupyterHub.template_paths = [str(TEMPLATES)]
    c.JupyterHub.services = list(all_of_it.services)
    c.JupyterHub.load_roles = list(all_of_it.roles)
    c.JupyterHub.template_vars = dict(all_of_it.template_vars)
    return list(all_of_it.jobs)


def _addresses(settings: HubSettings, c: Config) -> None:
    c.JupyterHub.bind_url = f"http://:8000{settings.base_url}"
    c.JupyterHub.hub_bind_url = f"http://0.0.0.0:{HUB_PORT}"
    c.JupyterHub.hub_connect_url = f"http://{settings.hub_host}:{HUB_PORT}"
    c.JupyterHub.proxy_class = StaticProxy
    lead_nowhere_else()
    # The proxy and users' servers go on when the hub stops.
    c.JupyterHub.cleanup_proxy = False
    c.JupyterHub.cleanup_servers = False
    # One server that does not answer at the hub's start delays nobody; it is looked after by and by.
    c.JupyterHub.init_spawners_timeout = 1


def _state(c: Config, folders: Folders) -> None:
    c.JupyterHub.db_url = f"sqlite:///{folders.state / DATABASE.name}"
    c.JupyterHub.db_kwargs = how_to_open()
    c.JupyterHub.cookie_secret_file = str(folders.state / "cookie_secret")
    # A new hub may come with a new database form; its own backup of the old file is kept beside it.
    c.JupyterHub.upgrade_db = True


def _pages(settings: HubSettings, folders: Folders) -> Additions:
    return Additions(
        template_vars={
            "hub_title": settings.options.title,
            "contact": as_html(settings.options.contact),
            "announcement": Announcement(folders.access / "announcement"),
            "idle_minutes": settings.options.culling.idle_minutes,
            "server_limit": ServerLimit(settings.servers_max),
            "server_end": partial(culling.server_end, settings.options.culling),
        }
    )


def _servers(settings: HubSettings, c: Config, server: type[Server]) -> None:
    c.JupyterHub.spawner_class = server
    c.JupyterHub.allow_named_servers = False
    c.JupyterHub.active_server_limit = settings.servers_max
    c.Server.cmd = [*PROGRAM]
    c.Server.name_template = f"{settings.user_prefix}{{username}}"
    # The proxy looks for the very name that is in the path; names are safe by then.
    c.Server.escape = str
    c.Server.network_name = settings.network
    c.Server.use_internal_ip = True
    c.Server.remove = True
    # Every image on the menu was put on the machine by `pulumi up`; nothing else may start.
    c.Server.pull_policy = "never"
    c.Server.allowed_images = {image: image for image in settings.images.values()}
    # A server's own page would otherwise run what its user wrote, for whoever looks at it.
    c.Server.disable_user_config = True
    c.Server.start_timeout = START_S
    c.Server.http_timeout = 60
    # The limit is the number of servers; those that start at once wait for Docker and the CPUs in any case.
    c.JupyterHub.concurrent_spawn_limit = 0


def _tell_of_former_homes(homes: Path, log: logging.Logger) -> None:
    """Say which homes nobody would find; renaming them is for whoever knows whose they are."""
    try:
        folders = [each.name for each in homes.iterdir() if each.is_dir() and not each.is_symlink()]
    except OSError as error:
        log.warning("homes: %s cannot be looked through: %s", homes, error)
        return
    for old, new in to_rename(folders).items():
        log.warning(
            "homes: nobody's home is called %s any more; rename %s to %s", shown(old), shown(old), new
        )


def _server_ends(settings: HubSettings, server: type[Server]) -> Additions:
    def server_ended(user: Any) -> str | None:
        return server.ended.get(user.name) if user else None

    async def once() -> None:
        await listen(JupyterHub.instance().users, settings.stack, settings.name)

    job = Job("hearing from Docker which servers end", 1, once)
    return Additions(template_vars={"server_ended": server_ended}, jobs=(job,))


def _metrics(settings: HubSettings, secrets_dir: Path) -> Additions:
    if not settings.options.metrics:
        return Additions()
    return Additions.of_service("metrics", secret("metrics_token", secrets_dir), ["read:metrics"])


def _culler(settings: HubSettings) -> Additions:
    wanted = settings.options.culling
    if not (wanted.idle_minutes or wanted.max_age_hours):
        return Additions()
    token = secrets.token_hex(32)
    api_url = f"http://127.0.0.1:{HUB_PORT}{settings.base_url}hub/api"
    once = partial(culling.cull, wanted, api_url, token, logging.getLogger("JupyterHub"), Computing())
    job = Job("culling idle servers", culling.every_seconds(wanted), once)
    return Additions.of_service(culling.SERVICE, token, culling.SCOPES, job)


def _pruner(settings: HubSettings) -> Additions:
    if settings.name != FIRST_HUB:
        return Additions()  # one of a machine's hubs is enough
    once = partial(pruning.job, settings, logging.getLogger("JupyterHub"))
    return Additions(jobs=(Job("removing images that nobody needs", pruning.EVERY_SECONDS, once),))
