"""What an administrator says of one hub: its menu, its limits and what belongs to it.

Each field's docstring is its line in the settings reference; a `Changing` in its type says what a later
change does to a running hub.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Annotated, Self

from pydantic import AfterValidator, Field, HttpUrl, StringConstraints, model_validator

from hubconfig.auth_options import Access, Auth, GitHubAuth
from hubconfig.section import Section
from hubconfig.setting_types import AT_ONCE, HUB_RESTART, NEW_SERVERS, Entries, ImageName, Name
from hubconfig.space_options import FolderSpace, Home, RcloneSpace, Space, SshfsSpace, mount_refusal


def _without_token(url: HttpUrl) -> HttpUrl:
    if url.username is not None or url.password is not None:
        raise ValueError(
            "holds a name or a token, which anybody could read; name a repository that needs none"
        )
    return url


class GitSource(Section):
    """A git repository with a Dockerfile."""

    url: Annotated[HttpUrl, AfterValidator(_without_token)]
    """The repository; git must get it without a password."""
    ref: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/-]+$")] = "main"
    """Branch, tag or commit; a commit is the only one that never changes by itself."""
    folder: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/-]*$")] = ""
    """The folder of the Dockerfile, inside the repository."""


LAB, NOTEBOOK = "lab", "notebook"
"""The interfaces that each image has."""


class Interface(Section):
    """A page of an entry's servers that people may start with, as one that jupyter-server-proxy serves."""

    name: Name
    """What `interface` calls it."""
    title: str = Field(min_length=1, max_length=60)
    """What the menu calls it."""
    path: Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9][A-Za-z0-9._/-]*$", max_length=200)]
    """Where it is on a server, as `/desktop/`."""

    @model_validator(mode="after")
    def _inside_the_server(self) -> Self:
        if ".." in self.path.split("/"):
            raise ValueError(f"path: {self.path} leads out of the server; give it without ..")
        return self


class Application(Section):
    """One entry of the menu: an application hub, from exactly one of image, build and git."""

    name: Name
    """What it is called in lists, logs and images."""
    title: str = Field(min_length=1, max_length=60)
    """Its title in the menu."""
    description: str = Field("", max_length=300)
    """What the menu says of it: one or two sentences for who has to choose."""
    image: ImageName | None = None
    """Pulled by name when `pulumi up` runs."""
    build: Name | None = None
    """Built from the folder of this name in hubconfig/images."""
    git: GitSource | None = None
    """Built from a git repository."""
    interfaces: tuple[Interface, ...] = ()
    """What people may choose beside JupyterLab and the classic Notebook."""
    interface: Name = LAB
    """What the menu preselects: `lab`, `notebook`, or one of the entry's own `interfaces`."""
    memory_mb: int | None = Field(None, ge=128, le=4_194_304)
    """Memory of one server in MB; by default that of `limits`."""
    cpus: float | None = Field(None, gt=0, le=512)
    """CPUs of one server; by default those of `limits`."""
    who: Entries = ()
    """Who sees it and may start it, in the words of an access list, or `admins`; empty: everybody."""
    default: bool = False
    """Preselected in the menu; without any, the first is."""
    home: Home = "/home/user"
    """Where the image expects the home folder of its user (uid 1000)."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [key for key in ("image", "build", "git") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of image, build and git, not {' and '.join(given) or 'none'}")
        return self

    @model_validator(mode="after")
    def _interfaces_that_are_there(self) -> Self:
        names = [LAB, NOTEBOOK, *(each.name for each in self.interfaces)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"interfaces: {', '.join(twice)} is there twice; name each once")
        if self.interface not in names:
            raise ValueError(f"interface: {self.interface} is none of {', '.join(names)}; choose one of them")
        return self


class Limits(Section):
    """What one user's server may take of the machine."""

    memory_mb: Annotated[int, Field(ge=128, le=4_194_304), NEW_SERVERS] = 1024
    """Memory of one server in MB; the kernel ends what goes beyond it."""
    cpus: Annotated[float, Field(gt=0, le=512), NEW_SERVERS] = 1.0
    """CPUs of one server."""
    pids: Annotated[int, Field(ge=64, le=1_000_000), NEW_SERVERS] = 1024
    """Processes and threads of one server."""
    open_files: Annotated[int, Field(ge=1024, le=1_048_576), NEW_SERVERS] = 64_000
    """Open files of one process."""
    home_gb: Annotated[float | None, Field(ge=0.1, le=16_384), AT_ONCE] = None
    """What one user's home may hold, in GB, whatever they start. None: as much as the disk has. Needs a data
    folder on ext4 with project quotas, which the data volumes made here have."""
    servers: Annotated[int | None, Field(ge=1), HUB_RESTART] = None
    """Servers that may run at once. None: as many as idle in the machine's memory, 160 MB each
    (a measured JupyterLab with one kernel), after 300 MB for the system."""


class Culling(Section):
    """When servers that nobody uses are stopped."""

    idle_minutes: Annotated[int, Field(ge=0), HUB_RESTART] = 60
    """Minutes without activity until a server is stopped; 0: never."""
    warn_minutes: Annotated[int, Field(ge=0), HUB_RESTART] = 5
    """Minutes before that in which the hub's pages warn the user, who can stay with one click."""
    max_age_hours: Annotated[int, Field(ge=0), HUB_RESTART] = 0
    """Hours until a server is stopped even if used; 0: never."""


def _default_menu() -> tuple[Application, ...]:
    return (
        Application(
            name="corehub",
            title="Corehub",
            description="Python with the scientific stack, compilers, git and editors.",
            build="corehub",
            default=True,
        ),
    )


def _default_spaces() -> tuple[FolderSpace, ...]:
    return (
        FolderSpace(name="data", source="data", mount="/data", read_only=True),
        FolderSpace(name="user", source="user", mount="/user", read_only=False),
    )


class HubOptions(Section):
    """What an administrator says of one hub."""

    title: Annotated[str, Field(min_length=1, max_length=60), HUB_RESTART] = "Cyberhub"
    """The name on the hub's pages."""
    contact: Annotated[
        str, StringConstraints(pattern=r"^[^\x00-\x1f]*$"), Field(max_length=200), HUB_RESTART
    ] = ""
    """How people reach whoever runs the hub: an e-mail address, a web address or a few words. The `Welcome`
    notebook of new homes and the page that refuses somebody say it."""
    auth: Annotated[Auth, HUB_RESTART] = Field(default_factory=lambda: GitHubAuth(kind="github"))
    """How people sign in."""
    admins: Annotated[Entries, HUB_RESTART] = ()
    """People who see the admin page: `name` or `name:id`."""
    access: Access = Access()
    """Who may sign in."""
    menu: Annotated[tuple[Application, ...], Field(min_length=1), NEW_SERVERS] = Field(
        default_factory=_default_menu
    )
    """The application hubs people choose from."""
    limits: Limits = Limits()
    """What a server may take of the machine."""
    spaces: Annotated[tuple[Space, ...], NEW_SERVERS] = Field(default_factory=_default_spaces)
    """Folders that every user's server sees besides the private home."""
    culling: Culling = Culling()
    """When servers that nobody uses are stopped."""
    git_credentials_client_id: Annotated[str | None, NEW_SERVERS] = None
    """Client id of a GitHub App; with it users can push with credentials that end after 8 hours."""
    metrics: Annotated[bool, HUB_RESTART] = False
    """Serve Prometheus metrics at /hub/metrics to holders of the token in output `metricsToken`."""

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        for what, names in (
            ("menu", [entry.name for entry in self.menu]),
            ("spaces", [space.name for space in self.spaces]),
            ("spaces' mount", [space.mount for space in self.spaces]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what}: {', '.join(twice)} is there more than once; names must differ")
        for space in self.spaces:
            for entry in self.menu:
                if why := mount_refusal(space.mount, entry.home):
                    raise ValueError(f"spaces: {space.name}: {why}")
        if sum(entry.default for entry in self.menu) > 1:
            raise ValueError("menu: more than one entry has default: true; keep one")
        return self


def limited_homes(hubs: Mapping[str, HubOptions | None]) -> dict[str, float]:
    """Hub to the GB that a home of it may hold, of those hubs that say so."""
    return {
        name: options.limits.home_gb
        for name, options in hubs.items()
        if options is not None and options.limits.home_gb is not None
    }


def remote_spaces(hubs: Sequence[HubOptions]) -> dict[str, SshfsSpace | RcloneSpace]:
    """The remote spaces of all hubs by name; two hubs may see the same one."""
    return {
        space.name: space
        for options in hubs
        for space in options.spaces
        if isinstance(space, SshfsSpace | RcloneSpace)
    }


def writable_spaces(hubs: list[HubOptions]) -> list[str]:
    """The folders that users write to, as paths on the data volume.

    Read-only spaces came from somewhere and can be had there again; they may be very large.
    """
    paths = {
        str(PurePosixPath(space.source))
        for options in hubs
        for space in options.spaces
        if isinstance(space, FolderSpace) and not space.read_only and not space.source.startswith("/")
    }
    return sorted(paths)
