"""Images that are pulled, each pinned; the packages inside ours are locked beside their Dockerfiles."""

from __future__ import annotations

from typing import Final

# renovate: datasource=docker depName=debian
BASE_IMAGE: Final = (
    "debian:trixie-slim@sha256:a29215f6a35e51e22adffa17f89e9d2ef06214e64a2bad10d765c46aea49f11f"
)
"""What our images start from. CYBERHUBS_BASE_IMAGE names another where no registry can be reached."""

# renovate: datasource=docker depName=caddy
CADDY_IMAGE: Final = "caddy:2.11.9-alpine"
"""Where the proxy's image takes Caddy from, unless CYBERHUBS_CADDY names a binary."""
