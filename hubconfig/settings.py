"""What an administrator says about a hub, and the file that tells the hub of it.

Imported on both sides (the Pulumi program writes, the hub reads); imports neither.
Each field's docstring is its line in the settings reference; `changing` in its extra
data says what a later change does to a running hub.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Discriminator, Field, HttpUrl, StringConstraints, Tag, model_validator

from hubconfig.section import Section, changing

HUB_RESTART = changing("The hub restarts (about 2 s, requests wait); running servers go on.")
NEW_SERVERS = changing("The hub restarts; servers started from then on have it, running ones keep theirs.")

AT_ONCE = changing(
    "In force at once, also for homes that are there and servers that run. The hub restarts (about 2 s)."
)

OTHER_PEOPLE = changing("People get other names, so they find empty homes: move those first.")

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$")]
"""A name that is safe as a path, a container's name and a DNS label."""

ContainerPath = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._/-]*[A-Za-z0-9._-]$")]

ImageName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9]+([._/:-]+[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$"
    ),
]
"""A Docker image name, with or without tag and digest."""

Entry = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        pattern=r"^(org:[A-Za-z0-9-]+|team:[A-Za-z0-9-]+/[A-Za-z0-9_.-]+|[^\s:#]+(:[0-9]+)?)$",
    ),
]
"""One line of an access list: `name`, `name:id`, `org:NAME` or `team:ORG/TEAM`."""


class SharedPasswordAuth(Section):
    """Everybody signs in with a name of their choice and one shared password."""

    kind: Literal["sharedPassword"]


class GitHubAuth(Section):
    """Sign-in with GitHub. Needs the secrets oauthClientId and oauthClientSecret."""

    kind: Literal["github"]
    url: HttpUrl = Field(HttpUrl("https://github.com"), json_schema_extra=HUB_RESTART)
    """Where people sign in; another address for GitHub Enterprise."""
    api_url: HttpUrl = Field(HttpUrl("https://api.github.com"), json_schema_extra=HUB_RESTART)
    """Where the hub asks who somebody is."""


class GitLabAuth(Section):
    """Sign-in with GitLab. Needs the secrets oauthClientId and oauthClientSecret."""

    kind: Literal["gitlab"]
    url: HttpUrl = Field(HttpUrl("https://gitlab.com"), json_schema_extra=HUB_RESTART)
    """The GitLab to sign in with."""


class OidcAuth(Section):
    """Sign-in with any OAuth 2 / OpenID Connect provider. Needs oauthClientId and oauthClientSecret."""

    kind: Literal["oidc"]
    service: str = Field("OpenID Connect", json_schema_extra=HUB_RESTART)
    """The name on the sign-in button."""
    authorize_url: HttpUrl = Field(json_schema_extra=HUB_RESTART)
    """Where people sign in."""
    token_url: HttpUrl = Field(json_schema_extra=HUB_RESTART)
    """Where the hub exchanges the code it gets for a token."""
    userdata_url: HttpUrl = Field(json_schema_extra=HUB_RESTART)
    """Where the hub asks who somebody is."""
    username_claim: str = Field("preferred_username", json_schema_extra=OTHER_PEOPLE)
    """The claim that names a person for good; a claim people can change lets them take another's place."""
    scopes: tuple[str, ...] = Field(("openid", "profile", "email"), json_schema_extra=HUB_RESTART)
    """What the provider is asked to tell."""


class CILogonAuth(Section):
    """Sign-in with a university's account through CILogon. Needs oauthClientId and oauthClientSecret."""

    kind: Literal["cilogon"]
    identity_provider: Annotated[str, StringConstraints(pattern=r"^(https?://|urn:)\S+$")] = Field(
        json_schema_extra=HUB_RESTART
    )
    """The entity id of the one university or institute whose accounts may sign in."""
    username_claim: str = Field("eppn", json_schema_extra=OTHER_PEOPLE)
    """The claim that names a person for good."""


class GlobusAuth(Section):
    """Sign-in with Globus. Needs oauthClientId and oauthClientSecret."""

    kind: Literal["globus"]
    identity_provider: str = Field("", json_schema_extra=HUB_RESTART)
    """The domain whose identities are asked for; empty for any."""


Auth = Annotated[
    SharedPasswordAuth | GitHubAuth | GitLabAuth | OidcAuth | CILogonAuth | GlobusAuth,
    Field(discriminator="kind"),
]


class Access(Section):
    """Who may sign in. The files wlist and blist on the data volume add to it and are read live."""

    mode: Literal["auto", "open", "listed", "closed"] = Field("auto", json_schema_extra=HUB_RESTART)
    """`auto`: everybody while the allow list and wlist are empty, else only those listed; `open`: everybody;
    `listed`: only those listed, also when nobody is; `closed`: only admins. blist wins always."""
    allow: tuple[Entry, ...] = Field((), json_schema_extra=HUB_RESTART)
    """People (`name` or `name:id`), GitHub organisations (`org:NAME`) and teams (`team:ORG/TEAM`) let in."""
    open_until: AwareDatetime | None = Field(None, json_schema_extra=HUB_RESTART)
    """Open to everybody until this time (with its zone), then as `mode` says."""
    keep_visitors: bool = Field(False, json_schema_extra=HUB_RESTART)
    """Write those who came before `openUntil` into wlist, so that they stay welcome."""


class GitSource(Section):
    """A git repository with a Dockerfile."""

    url: HttpUrl
    """The repository; git must get it without a password."""
    ref: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/-]+$")] = "main"
    """Branch, tag or commit; a commit is the only one that never changes by itself."""
    folder: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/-]*$")] = ""
    """The folder of the Dockerfile, inside the repository."""


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
    interface: Literal["lab", "notebook"] = "lab"
    """What the menu preselects: JupyterLab or the classic Notebook."""
    memory_mb: int | None = Field(None, ge=128, le=4_194_304)
    """Memory of one server in MB; by default that of `limits`."""
    cpus: float | None = Field(None, gt=0, le=512)
    """CPUs of one server; by default those of `limits`."""
    who: tuple[Entry | Literal["admins"], ...] = ()
    """Who sees it and may start it, in the words of an access list; empty: everybody."""
    default: bool = False
    """Preselected in the menu; without any, the first is."""
    home: ContainerPath = "/home/user"
    """Where the image expects the home folder of its user (uid 1000)."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [key for key in ("image", "build", "git") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of image, build and git, not {' and '.join(given) or 'none'}")
        return self


class Limits(Section):
    """What one user's server may take of the machine."""

    memory_mb: int = Field(1024, ge=128, le=4_194_304, json_schema_extra=NEW_SERVERS)
    """Memory of one server in MB; the kernel ends what goes beyond it."""
    cpus: float = Field(1.0, gt=0, le=512, json_schema_extra=NEW_SERVERS)
    """CPUs of one server."""
    pids: int = Field(1024, ge=64, le=1_000_000, json_schema_extra=NEW_SERVERS)
    """Processes and threads of one server."""
    open_files: int = Field(64_000, ge=1024, le=1_048_576, json_schema_extra=NEW_SERVERS)
    """Open files of one process."""
    home_gb: float | None = Field(None, ge=0.1, le=16_384, json_schema_extra=AT_ONCE)
    """What one user's home may hold, in GB, whatever they start. None: as much as the disk has. Needs a data
    folder on ext4 with project quotas, which the data volumes made here have."""
    servers: int | None = Field(None, ge=1, json_schema_extra=HUB_RESTART)
    """Servers that may run at once. None: as many as idle in the machine's memory, 160 MB each
    (a measured JupyterLab with one kernel), after 300 MB for the system."""


class FolderSpace(Section):
    """A folder of the machine, seen by every user's server."""

    kind: Literal["folder"] = "folder"
    name: Name
    """What it is called in messages."""
    source: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/-]+$")]
    """Path on the machine; a relative one is below the data volume."""
    mount: ContainerPath
    """Path inside the servers."""
    read_only: bool = True
    """Users may read but not write."""

    @model_validator(mode="after")
    def _stays_inside(self) -> Self:
        if ".." in Path(self.source).parts:
            raise ValueError("source may not contain '..'")
        return self


class SshfsSpace(Section):
    """A folder of another machine, mounted with sshfs. Needs the secret spaceKeys.NAME, a private key."""

    kind: Literal["sshfs"]
    name: Name
    """What it is called in messages, and the name of its key."""
    remote: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+@[A-Za-z0-9.:_-]+:/[^\s,]*$")]
    """`user@host:/path`."""
    port: int = Field(22, ge=1, le=65535)
    """Where its ssh listens."""
    host_key: Annotated[str, StringConstraints(pattern=r"^(ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/=]+$")]
    """The only host key that is accepted, as `ssh-keyscan` prints it without the name."""
    mount: ContainerPath
    """Path inside the servers."""
    read_only: bool = True
    """Users may read but not write."""


class RcloneSpace(Section):
    """A remote that rclone knows (S3, Swift, WebDAV ...). Its secret: spaceKeys.NAME, rclone.conf text."""

    kind: Literal["rclone"]
    name: Name
    """What it is called in messages, and the name of its secret."""
    remote: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+:[^\s,]*$")]
    """`section:bucket/path` of the configuration in the secret."""
    mount: ContainerPath
    """Path inside the servers."""
    read_only: bool = True
    """Users may read but not write."""


def _space_kind(value: object) -> object:
    return value.get("kind", "folder") if isinstance(value, dict) else getattr(value, "kind", None)


Space = Annotated[
    Annotated[FolderSpace, Tag("folder")]
    | Annotated[SshfsSpace, Tag("sshfs")]
    | Annotated[RcloneSpace, Tag("rclone")],
    Discriminator(_space_kind),
]
"""A folder of the machine unless its `kind` says otherwise."""


class Culling(Section):
    """When servers that nobody uses are stopped."""

    idle_minutes: int = Field(60, ge=0, json_schema_extra=HUB_RESTART)
    """Minutes without activity until a server is stopped; 0: never."""
    warn_minutes: int = Field(5, ge=0, json_schema_extra=HUB_RESTART)
    """Minutes before that in which the hub's pages warn the user, who can stay with one click."""
    max_age_hours: int = Field(0, ge=0, json_schema_extra=HUB_RESTART)
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

    title: str = Field("Cyberhub", min_length=1, max_length=60, json_schema_extra=HUB_RESTART)
    """The name on the hub's pages."""
    auth: Auth = Field(default_factory=lambda: GitHubAuth(kind="github"), json_schema_extra=HUB_RESTART)
    """How people sign in."""
    admins: tuple[Entry, ...] = Field((), json_schema_extra=HUB_RESTART)
    """People who see the admin page: `name` or `name:id`."""
    access: Access = Access()
    """Who may sign in."""
    menu: tuple[Application, ...] = Field(
        default_factory=_default_menu, min_length=1, json_schema_extra=NEW_SERVERS
    )
    """The application hubs people choose from."""
    limits: Limits = Limits()
    """What a server may take of the machine."""
    spaces: tuple[Space, ...] = Field(default_factory=_default_spaces, json_schema_extra=NEW_SERVERS)
    """Folders that every user's server sees besides the private home."""
    culling: Culling = Culling()
    """When servers that nobody uses are stopped."""
    git_credentials_client_id: str | None = Field(None, json_schema_extra=NEW_SERVERS)
    """Client id of a GitHub App; with it users can push with credentials that end after 8 hours."""
    metrics: bool = Field(False, json_schema_extra=HUB_RESTART)
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
        if sum(entry.default for entry in self.menu) > 1:
            raise ValueError("menu: more than one entry has default: true; keep one")
        return self


SETTINGS_FILE = Path("/srv/cyberhub/settings.json")
"""Where a hub finds them, inside its container."""


class HubSettings(Section):
    """The file the hub reads at its start."""

    name: Name
    """The hub's name in its stack: `hub`, or that of a further hub."""
    stack: str
    options: HubOptions
    public_url: str
    """Where a browser finds the hub, with its base path and no slash at the end."""
    base_url: str
    """The base path: `/`, or `/astro/`."""
    hub_host: str
    """The hub container's name on the users' network."""
    network: str
    """The Docker network of hub, proxy and users' servers."""
    user_prefix: str
    """What users' containers are called, before the user's name; nothing else may be called so."""
    homes_dir: str
    """The folder of homes, as the machine sees it."""
    space_dirs: dict[str, str]
    """Space name to its path, as the machine sees it."""
    images: dict[str, str]
    """Menu entry to the image that is on the machine."""
    servers_max: int = Field(ge=1)
    """Servers that may run at once."""
    images_kept: list[str]
    """Images of the whole stack that stay on the machine although no container may be using them."""
    images_prefix: str
    """What the names of our images begin with."""
    machine_is_ours: bool
    """Whether nothing but the stack uses the machine's Docker."""

    @classmethod
    def read(cls, path: Path) -> HubSettings:
        """The settings in a file.

        Raises ValueError when the file does not hold them, OSError when it cannot be read.
        """
        return cls.model_validate_json(path.read_bytes())

    def to_json(self) -> str:
        """The file's text."""
        return self.model_dump_json(by_alias=True, indent=1)
