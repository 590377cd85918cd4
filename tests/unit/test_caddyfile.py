"""The proxy's configuration."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import HttpUrl

from hubconfig.names import safe_name
from infra.site.caddyfile import HubRoute, SiteRoutes, caddyfile
from infra.stack.settings import AcmeTls, FilesTls, LocalTls, NoTls

HUB = HubRoute("hub", "/", "local-hub", "local-user-")
ASTRO = HubRoute("astro", "/astro/", "local-astro-hub", "local-astro-user-")

Tls = LocalTls | AcmeTls | FilesTls | NoTls
EVERY_TLS: list[Tls] = [
    LocalTls(kind="local"),
    AcmeTls(kind="acme"),
    FilesTls(kind="files", certificate_file="c", key_file="k"),
    NoTls(kind="none"),
]


def text(
    tls: Tls = EVERY_TLS[0], *hubs: HubRoute, https_port: int = 443, user_domain: str | None = None
) -> str:
    names = ["hub.example.org", "192.0.2.7"]
    return caddyfile(SiteRoutes(names, https_port, tls, hubs or (HUB,), user_domain=user_domain))


def block(configuration: str, address: str) -> str:
    """What is said of one address."""
    (found,) = re.findall(rf"^{re.escape(address)} \{{\n(.*?)^\}}\n", configuration, re.MULTILINE | re.DOTALL)
    return str(found)


def user_pattern(configuration: str, matcher: str) -> re.Pattern[str]:
    found = re.search(rf"@{matcher} path_regexp {matcher} (\S+)", configuration)
    assert found is not None
    return re.compile(found[1])


@given(st.text(min_size=1).filter(lambda name: name.strip()))
def test_every_users_path_leads_to_that_users_container(name: str) -> None:
    pattern = user_pattern(text(), "user_hub")
    for path in (f"/user/{safe_name(name)}/lab", f"/user/{safe_name(name)}/", f"/user/{safe_name(name)}"):
        found = pattern.match(path)
        assert found is not None
        assert found[1] == safe_name(name)


@pytest.mark.parametrize(
    "path",
    [
        *("/user/../hub/lab", "/user/ada.evil.org/lab", "/user/ada:22/", "/user/ADA/", "/user//lab"),
        *("/user/a--/x", "/user/-a/x", "/user/a_b/", "/hub/user/ada/", "/x/user/ada/"),
    ],
)
def test_no_other_path_can_choose_where_the_proxy_connects(path: str) -> None:
    assert user_pattern(text(), "user_hub").match(path) is None


def test_a_further_hub_is_asked_before_the_one_at_the_root() -> None:
    configuration = text(EVERY_TLS[0], HUB, ASTRO)
    assert configuration.index("handle /astro/*") < configuration.index("handle {")
    assert user_pattern(configuration, "user_astro").match("/astro/user/ada/lab")
    assert not user_pattern(configuration, "user_hub").match("/astro/user/ada/lab")


@pytest.mark.parametrize("tls", EVERY_TLS[:3], ids=lambda tls: tls.kind)
def test_plain_http_is_sent_to_https(tls: Tls) -> None:
    assert "redir https://{host}{uri} 308" in text(tls)
    assert "redir https://{host}:8443{uri} 308" in text(tls, https_port=8443)


def test_behind_another_proxy_nothing_is_redirected_or_signed() -> None:
    configuration = text(EVERY_TLS[3])
    assert "redir https" not in configuration
    assert "tls" not in configuration.replace("handle_errors", "")


def test_browsers_remember_https_only_where_the_name_is_ours_alone() -> None:
    assert 'Strict-Transport-Security "max-age=' in text(AcmeTls(kind="acme"))
    assert "Strict-Transport-Security m" not in text(LocalTls(kind="local")).replace('"', "")


def test_another_authority_can_be_asked_for_certificates() -> None:
    tls = AcmeTls(
        kind="acme",
        email="a@example.org",
        directory=HttpUrl("https://pebble:14000/dir"),
        directory_ca_file="ca",
    )
    configuration = text(tls)
    assert "acme_ca https://pebble:14000/dir" in configuration
    assert "acme_ca_root /etc/caddy/site/acme-ca.crt" in configuration
    assert "email a@example.org" in configuration


@pytest.mark.parametrize("tls", EVERY_TLS, ids=lambda tls: tls.kind)
@pytest.mark.parametrize("user_domain", [None, "users.example.org"])
def test_braces_balance(tls: Tls, user_domain: str | None) -> None:
    configuration = text(tls, HUB, ASTRO, user_domain=user_domain)
    assert configuration.count("{") == configuration.count("}")


def test_a_server_cannot_speak_for_more_than_its_own_path() -> None:
    configuration = text(EVERY_TLS[0], HUB, ASTRO)
    for name in ("Service-Worker-Allowed", "Clear-Site-Data", "Cross-Origin-Opener-Policy", "Alt-Svc"):
        assert configuration.count(f"header_down -{name}\n") == 2, name


def from_server(said: str) -> str:
    """A cookie of ada's server, as the proxy hands it on: what Caddy does, done here."""
    for old, new in re.findall(r"header_down Set-Cookie `(.*?)` `(.*?)`", text().partition(":8888 {")[2]):
        if "_xsrf" in old:
            break  # from here on it is the hub's
        said = re.sub(old, new.replace("{re.user_hub.1}", "ada").replace("$1", r"\1"), said)
    return said


def counted(cookie: str) -> dict[str, str]:
    """The attributes that browsers see in a cookie: of several of a name the last (RFC 6265, 5.3)."""
    pairs = [part.partition("=") for part in cookie.split(";")[1:]]
    return {name.strip(" \t").lower(): value.strip(" \t") for name, _, value in pairs}


NAMED = st.sampled_from(["path", "Path", "PATH", " pAth\t", "domain", "Domain ", "own-path", "secure", "x"])
PATHS = st.sampled_from(
    [
        *(
            "/",
            "/hub/",
            "/user/bob/",
            "/user/ada/lab",
            "/user",
            "/user/ada",
            '"/"',
            "",
            ".",
            "/user//x",
            "=/",
        ),
        *(
            "/user/../hub/",
            "/user/bob/../../hub",
            "localhost",
            ".example.org",
            "/USER/ada/",
            "$1",
            "{re.x.1}",
        ),
    ]
)


@given(st.text('ab="$ ', max_size=5), st.lists(st.tuples(NAMED, PATHS, st.sampled_from([";", "; ", " ;\t"]))))
def test_no_cookie_of_a_server_goes_to_other_paths(value: str, parts: list[tuple[str, str, str]]) -> None:
    said = value + "".join(f"{between}{name}={path}" for name, path, between in parts)
    attributes = counted(from_server(said))
    assert f"{attributes['path']}/".startswith("/user/ada/")
    assert "domain" not in attributes
    assert attributes["samesite"] == "Lax"
    assert "secure" in attributes


def test_a_cookie_for_a_part_of_the_server_keeps_its_path() -> None:
    kept = counted(from_server("x=1; HttpOnly; path=/user/ada/rstudio/; SameSite=Strict"))
    assert kept == {"path": "/user/ada/rstudio/", "samesite": "Strict", "secure": "", "httponly": ""}


def test_whatever_reaches_a_hub_is_small() -> None:
    configuration = text(EVERY_TLS[0], HUB, ASTRO)
    limits = re.findall(r"max_size (\S+)", configuration)
    # Of each hub: its own pages, what its users' servers get, and what it gets in their place.
    assert limits.count("1MB") == 6
    assert limits.count("512MB") == 2


def test_whatever_the_proxy_says_itself_is_as_closed_as_what_it_hands_on() -> None:
    for tls in EVERY_TLS:
        configuration = text(tls)
        assert configuration.count("X-Content-Type-Options nosniff") == 1 + configuration.count(
            "handle_errors"
        )


def test_a_further_hub_has_a_session_of_its_own() -> None:
    configuration = text(EVERY_TLS[0], HUB, ASTRO)
    assert "`^jupyterhub-session-id=` `jupyterhub-session-id-astro=`" in configuration
    assert "jupyterhub-session-id" not in text(EVERY_TLS[0], HUB)


def test_a_name_that_is_not_ours_is_not_sent_on_under_it() -> None:
    plain = text().partition("http:// {")[2].partition("\n}\n")[0]
    assert "@others not host hub.example.org 192.0.2.7\n" in plain
    assert plain.count("{host}") == 1
    assert "redir @others https://hub.example.org{uri} 308" in plain


def test_behind_another_proxy_hubs_and_servers_are_told_the_address_that_browsers_use() -> None:
    site = SiteRoutes(["10.0.0.5"], 443, EVERY_TLS[3], [HUB, ASTRO], public_url="https://hub.example.org:444")
    configuration = caddyfile(site)
    towards = configuration.count("reverse_proxy ")
    for told in (
        "Host hub.example.org:444",
        "X-Forwarded-Host hub.example.org:444",
        "X-Forwarded-Proto https",
    ):
        assert configuration.count(f"header_up {told}\n") == towards, told
    assert configuration.count("SameSite=Lax; Secure") == configuration.count("SameSite=Lax")


def test_without_such_an_address_only_the_other_proxy_says_how_it_was_asked() -> None:
    configuration = text(EVERY_TLS[3])
    assert "X-Forwarded-Proto" not in configuration
    assert "Secure`" not in configuration


DOMAIN = "users.example.org"


@pytest.mark.parametrize("tls", EVERY_TLS[:3], ids=lambda tls: tls.kind)
def test_with_hosts_of_their_own_no_servers_answer_is_of_the_hubs(tls: Tls) -> None:
    configuration = text(tls, HUB, ASTRO, user_domain=DOMAIN)
    assert ":8888" not in block(configuration, "https://hub.example.org")
    assert ":8888" not in block(configuration, "https://192.0.2.7")
    users = block(configuration, f"https://*.{DOMAIN}")
    assert ":8888" in users
    assert ":8081" not in users


def test_the_host_alone_names_the_server() -> None:
    users = block(text(EVERY_TLS[0], HUB, ASTRO, user_domain=DOMAIN), f"https://*.{DOMAIN}")
    patterns = dict(re.findall(r"@(\S+) vars_regexp \1 \{http\.request\.host\} (\S+)", users))
    dialled = re.findall(r"reverse_proxy (?:@\S+ )?(\S+)\{re\.(\S+)\.1\}:8888", users)
    assert {*dialled} == {("local-user-", "host_hub"), ("local-astro-user-", "host_astro")}
    assert len(dialled) == users.count("reverse_proxy ")
    hub, astro = (re.compile(patterns[name]) for name in ("host_hub", "host_astro"))
    for host in (f"ada.{DOMAIN}", f"ada---astro.{DOMAIN}"):
        assert bool(hub.match(host)) != bool(astro.match(host))
    for host in (f"ada:22.{DOMAIN}", f"a.b.{DOMAIN}", f"{{x}}.{DOMAIN}", "ada.evil.org", f"ada.{DOMAIN}.org"):
        assert not hub.match(host), host
        assert not astro.match(host), host


@pytest.mark.parametrize("tls", EVERY_TLS[:2], ids=lambda tls: tls.kind)
def test_a_certificate_is_got_for_a_users_host_only_once_a_hub_knows_the_user(tls: Tls) -> None:
    configuration = text(tls, HUB, ASTRO, user_domain=DOMAIN)
    assert configuration.count("on_demand\n") == 1
    assert "on_demand" in block(configuration, f"https://*.{DOMAIN}")
    assert "ask http://127.0.0.1:8079/" in configuration
    ask = block(configuration, "http://127.0.0.1:8079")
    assert "bind 127.0.0.1" in ask
    assert "rewrite * /astro/hub/user-host?{query}\n\t\treverse_proxy local-astro-hub:8081" in ask
    assert "handle {\n\t\trespond 404" in ask


@pytest.mark.parametrize("tls", EVERY_TLS[:3], ids=lambda tls: tls.kind)
def test_whom_the_hubs_know_is_not_told_to_strangers(tls: Tls) -> None:
    hubs = block(text(tls, HUB, ASTRO, user_domain=DOMAIN), "https://hub.example.org")
    for path in ("/hub/user-host", "/astro/hub/user-host"):
        assert f"handle {path} {{\n\t\trespond 404\n" in hubs


def test_a_certificate_of_ones_own_is_shown_for_users_hosts_too() -> None:
    configuration = text(EVERY_TLS[2], user_domain=DOMAIN)
    assert "on_demand" not in configuration
    assert "tls /etc/caddy/tls/ssl.crt" in block(configuration, f"https://*.{DOMAIN}")
    assert "8079" not in configuration


def test_other_names_lead_to_the_one_at_which_people_sign_in() -> None:
    configuration = text(EVERY_TLS[0], user_domain=DOMAIN, https_port=8443)
    assert "redir https://hub.example.org:8443{uri} 308" in block(configuration, "https://192.0.2.7")
    assert f"not host hub.example.org 192.0.2.7 *.{DOMAIN}\n" in configuration


def test_without_a_users_domain_nothing_is_asked() -> None:
    configuration = text()
    assert "on_demand" not in configuration
    assert "user-host" not in configuration
    assert "https://hub.example.org, https://192.0.2.7 {" in configuration
