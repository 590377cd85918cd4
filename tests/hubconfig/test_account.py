"""Whoever works in a server is somebody there, also in images that know no account of uid 1000."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

import pytest
from docker.errors import NotFound

from hubconfig.servers.account import FILE, accounts, with_account
from hubconfig.servers.put_in import packed


def put_in(known: str, user: str) -> bytes:
    """What Docker unpacks in a container whose image has these accounts."""
    return packed({}, {FILE: with_account(known, user, "/home/user")})


ROOT = "root:x:0:0:root:/root:/bin/bash\n"


class Container:
    """Docker's client, as far as it gives a file."""

    def __init__(self, text: bytes | None, *, link: bool = False) -> None:
        self.text, self.link = text, link

    def get_archive(self, _: str, path: str) -> tuple[Iterator[bytes], dict[str, str]]:
        assert path == "/etc/passwd"
        if self.text is None:
            raise NotFound("Could not find the file /etc/passwd in container")
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            entry = tarfile.TarInfo("passwd")
            entry.size = len(self.text)
            if self.link:
                entry.type, entry.linkname, entry.size = tarfile.SYMTYPE, "/nix/store/passwd", 0
            archive.addfile(entry, io.BytesIO(self.text))
        content = packed.getvalue()
        return iter([content[:700], content[700:]]), {}


@pytest.mark.parametrize(
    ("file", "known"),
    [
        (ROOT.encode(), ROOT),
        (None, ""),
        (b"", ""),
        (f"{ROOT}jovyan:x:1000:100::/home/jovyan:/bin/bash\n".encode(), None),
        (f"{ROOT}other:x:1001:1000::/:/bin/sh\n".encode(), f"{ROOT}other:x:1001:1000::/:/bin/sh\n"),
        (b"+::::::\n", "+::::::\n"),
    ],
)
def test_an_image_is_given_an_account_only_where_it_has_none(file: bytes | None, known: str | None) -> None:
    assert accounts(Container(file), "c") == known


def test_a_system_that_makes_its_accounts_elsewhere_is_left_alone() -> None:
    assert accounts(Container(b"", link=True), "c") is None


@pytest.mark.parametrize(
    ("known", "user", "line"),
    [
        (ROOT, "ada", "ada:x:1000:100::/home/user:/bin/sh"),
        (ROOT.rstrip(), "ada", "ada:x:1000:100::/home/user:/bin/sh"),
        ("", "ada", "ada:x:1000:100::/home/user:/bin/sh"),
        (ROOT, "ada@example.org", "user:x:1000:100::/home/user:/bin/sh"),
        (ROOT, "root", "user:x:1000:100::/home/user:/bin/sh"),
        (f"{ROOT}user:x:7:7::/:/bin/sh\n", "Ünal", "cyberhub-user:x:1000:100::/home/user:/bin/sh"),
        (ROOT, "x:0:0", "user:x:1000:100::/home/user:/bin/sh"),
    ],
)
def test_the_account_has_the_users_name_where_a_system_can_have_it(known: str, user: str, line: str) -> None:
    with tarfile.open(fileobj=io.BytesIO(put_in(known, user))) as archive:
        (entry,) = archive.getmembers()
        assert (entry.name, entry.mode, entry.uid) == ("etc/passwd", 0o644, 0)
        file = archive.extractfile(entry)
        assert file is not None
        assert file.read().decode().splitlines() == [*known.splitlines(), line]


def test_what_is_no_text_stays_as_it_is() -> None:
    known = accounts(Container(b"root:x:0:0:J\xe4ger:/:/bin/sh\n"), "c")
    assert known is not None
    with tarfile.open(fileobj=io.BytesIO(put_in(known, "ada"))) as archive:
        file = archive.extractfile("etc/passwd")
        assert file is not None
        assert b"J\xe4ger" in file.read()
