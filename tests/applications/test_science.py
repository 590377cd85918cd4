"""What each application hub is for: a number or a figure that is right, as its own user gets it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.images.building import ENGINE, image
from tests.images.user_server import homes_in, hub_with, started

NUPYCEE = "https://github.com/NuGrid/NuPyCEE.git"


def answers(repository: str) -> bool:
    """Whether a repository can be reached from here."""
    asked = subprocess.run(
        ["git", "ls-remote", repository, "HEAD"], check=False, capture_output=True, timeout=60
    )
    return asked.returncode == 0


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where users' homes are."""
    return homes_in(tmp_path_factory.mktemp("homes"))


@pytest.fixture(scope="module")
def hub(homes: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A hub that starts servers, each with an empty home from outside."""
    with hub_with(homes, tmp_path_factory.mktemp("hub")) as container:
        yield container


R = """\
suppressMessages(library(dplyr))
squares <- tibble(side = c(6, 7)) %>% summarise(product = prod(side))
cat(squares$product, round(coef(lm(dist ~ speed, cars))[["speed"]], 3), "")
png("cars.png"); plot(cars); invisible(dev.off())
cat(file.size("cars.png") > 1000)
"""

LEARNING = """\
import numpy, pywt, skimage, sklearn, torch
torch.manual_seed(0)
x = torch.linspace(-1, 1, 64)[:, None]
line = torch.nn.Linear(1, 1)
step = torch.optim.SGD(line.parameters(), lr=0.3)
for _ in range(200):
    step.zero_grad()
    ((line(x) - (3 * x + 1)) ** 2).mean().backward()
    step.step()
haar = pywt.wavedec(numpy.ones(8), "haar", level=3)
print(f"{line.weight.item():.2f} {line.bias.item():.2f} {haar[0][0]:.4f}")
"""

STELLAR = """\
import mesa_reader
from iniabu import ini
from nugridpy import astronomy, mesa, nugridse
print(f"{ini.iso['Si-28'].abu_rel:.4f} {astronomy.msun_g:.4g}")
"""

GRIDS = """\
import numpy, pyfftw, pyshtools, tables, yt
constant = pyshtools.SHGrid.from_array(numpy.ones((16, 32))).expand()
wave = pyfftw.interfaces.numpy_fft.rfft(numpy.cos(2 * numpy.pi * 3 * numpy.arange(32) / 32))
blob = yt.load_uniform_grid({"density": 2 * numpy.ones((8, 8, 8))}, (8, 8, 8), length_unit="cm")
mass = blob.all_data().sum("cell_mass")
print(f"{constant.coeffs[0, 0, 0]:.3f} {abs(wave).argmax()} {float(mass.to('g')):.0f}")
"""


@pytest.mark.parametrize(
    ("application", "kernel", "code", "printed"),
    [
        # The slope of R's own example of a fit: `cars`, stopping distance by speed.
        ("rhub", "ir", R, "42 3.932 TRUE"),
        ("mlhub", "python3", LEARNING, "3.00 1.00 2.8284"),
        # Lodders' share of silicon 28; the Sun's mass in grams.
        ("mesahub", "python3", STELLAR, "0.9223 1.989e+33"),
        ("ppmstarhub", "python3", GRIDS, "1.000 3 2"),
    ],
    ids=["rhub", "mlhub", "mesahub", "ppmstarhub"],
)
def test_an_application_hub_calculates_what_it_is_for(
    application: str, kernel: str, code: str, printed: str, hub: str, homes: Path
) -> None:
    with started(hub, homes, application.removesuffix("hub"), application) as server:
        assert server.executed(kernel, code).strip().splitlines()[-1] == printed


def test_nupycee_gives_back_what_its_authors_published(hub: str, homes: Path) -> None:
    if not answers(NUPYCEE):
        pytest.skip("NuPyCEE's repository cannot be reached from here")
    code = (
        "from NuPyCEE import sygma\n"
        "population = sygma.sygma(mgal=1.0, iniZ=0.02)\n"
        "print(f'{sum(population.history.ism_iso_yield[-1]):.4f}')"
    )
    with started(hub, homes, "wendi", "wendihub") as server:
        # Of one solar mass of stars, 0.35 are given back (Ritter et al. 2018).
        assert server.executed("python3", code).strip().splitlines()[-1] == "0.3544"


@pytest.mark.parametrize(
    ("application", "page", "title"),
    [
        ("codehub", "/vscode/?folder=/home/user", "code-server"),
        ("deskhub", "/desktop/", "Jupyter Remote Desktop Proxy"),
    ],
    ids=["codehub", "deskhub"],
)
def test_a_program_beside_lab_is_served_to_its_owner_only(
    application: str, page: str, title: str, hub: str, homes: Path
) -> None:
    with started(hub, homes, application.removesuffix("hub"), application) as server:
        status, text = server.get(page)
        assert (status, title in text) == (200, True)
        url = f"http://127.0.0.1:8888/user/{server.user}{page}"
        stranger = server.run("curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", url)
        assert stranger in ("302", "403")


@pytest.mark.parametrize("application", ["codehub", "deskhub", "mesahub", "mlhub", "ppmstarhub", "rhub"])
def test_the_home_of_an_image_is_its_users_own(application: str) -> None:
    foreign = ["find", "/home/user", "-not", "-user", "1000"]
    assert ENGINE.run("run", "--rm", "--user", "1000:100", image(application), *foreign).strip() == ""
