"""Why a server was not started, in words for its user."""

from __future__ import annotations

from tornado.web import HTTPError

NOT_STARTED = (
    "Your server could not be started. Your files are safe. Please try again, "
    "or tell your administrator: the reason is in the hub's log."
)

NAME_TAKEN = (
    "Your server could not be started: something else on this machine has its name. Your files are safe. "
    "Please tell your administrator: the hub's log says what it is."
)


class NotStartedError(HTTPError):
    """Shown to the user as it is; JupyterHub hides every other kind of error when it comes at once."""

    def __init__(self, status: int, message: str) -> None:
        """Say why.

        :param status: the HTTP status of the page: 403 not allowed, 507 no room, 500 ours.
        """
        super().__init__(status, message.replace("%", "%%"), reason="Not started")
        self.jupyterhub_message = message

    def __str__(self) -> str:
        """The message alone."""
        return str(self.jupyterhub_message)
