"""The pages for those who are not let in, as JupyterHub renders them."""

from __future__ import annotations

import pytest
from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader

from hubconfig.access.refusals import NotLetInError, refusal
from hubconfig.access.rules import Decision, Person, Reason
from hubconfig.pages.templates_dir import TEMPLATES


def page_of(error: NotLetInError, name: str) -> str:
    """The page as JupyterHub renders it, on a plain error page."""
    plain = (
        "{% block h1_error %}plain {{ status_code }}{% endblock %}"
        "{% block error_detail %}{{ message }}{% endblock %}"
    )
    folder = TEMPLATES
    loader = ChoiceLoader([DictLoader({"error.html": plain}), FileSystemLoader(folder)])
    page = Environment(loader=loader, autoescape=True).get_template(name)
    message = getattr(error, "jupyterhub_message", "")
    return page.render(exception=error, message=message, status_code=403, login_url="/hub/login")


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_to_keep_somebody_out_has_a_page(reason: Reason) -> None:
    lets_in = {Reason.ADMIN, Reason.WINDOW, Reason.OPEN, Reason.LISTED, Reason.NO_LIST}
    if reason in lets_in:
        with pytest.raises(KeyError):
            refusal(Person("ada"), Decision(allowed=False, reason=reason))
    else:
        page = page_of(refusal(Person("ada"), Decision(allowed=False, reason=reason)), "403.html")
        assert "<h1>" in page
        assert "/hub/login" in page


def test_a_name_is_no_markup_on_the_page() -> None:
    error = refusal(Person("<script>{0}{name}"), Decision(allowed=False, reason=Reason.BANNED))
    page = page_of(error, "403.html")
    assert "<script>" not in page
    assert "{0}{name} is blocked" in page


@pytest.mark.parametrize("name", ["400.html", "403.html", "503.html"])
def test_other_errors_keep_their_page(name: str) -> None:
    assert "plain 403" in page_of(None, name)  # type: ignore[arg-type]  # as much of a handler as it looks at
    assert "plain 403" in page_of(ValueError("x"), name)  # type: ignore[arg-type]  # as much of a handler as it looks at
