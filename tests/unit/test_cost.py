"""What the operator is told of the price, against the sums done by hand."""

from __future__ import annotations

import json

import cfnlint.api  # type: ignore[import-untyped]  # it has no marker for types
import pytest

from infra.clouds.aws.cost import _REGIONS, Bill


def bill(**changes: object) -> str:
    usual = {"region": "us-east-1", "instance_type": "t2.micro", "root_gb": 8, "data_gb": 22}
    return Bill(**{**usual, **changes}).tell()  # type: ignore[arg-type]  # a table of tests


def test_the_parts_add_up() -> None:
    # 0.0116 x 730 + 0.08 x 30 + 0.005 x 730
    assert "about 14.52 US dollars a month" in bill()
    assert "t2.micro 8.47, 30 GB of disk 2.40, the address 3.65" in bill()


def test_the_free_allowance_is_told_to_the_gigabyte() -> None:
    assert "all of its disks are in it" in bill()
    assert "28 GB of disk are paid for, 2.24 dollars a month (dataGb 22 is free)" in bill(data_gb=50)


def test_a_later_account_is_not_promised_twelve_months() -> None:
    assert "A later account pays from its credits" in bill()


def test_the_price_of_a_t3_follows_from_its_size() -> None:
    assert "t3.xlarge 121.47" in bill(instance_type="t3.xlarge")  # 0.1664 x 730
    assert "does not cover t3.xlarge" in bill(instance_type="t3.xlarge")


@pytest.mark.parametrize(
    "changes",
    [
        {"instance_type": "m7i.large"},
        {"instance_type": "t3.nano"},
        {"region": "af-south-1"},
        {"region": "eu-north-1"},  # which has no t2.micro
    ],
)
def test_a_price_that_is_not_known_is_not_made_up(changes: dict[str, str]) -> None:
    text = bill(**changes)
    assert "is not known here; https://calculator.aws tells" in text
    assert "US dollars" not in text


@pytest.mark.parametrize("region", sorted(_REGIONS))
def test_the_table_has_t2_micro_where_amazon_has(region: str) -> None:
    # cfn-lint carries Amazon's own lists of types by region.
    machines = {
        kind.replace(".", ""): {"Type": "AWS::EC2::Instance", "Properties": {"InstanceType": kind}}
        for kind in ("t2.micro", "t3.micro")
    }
    template = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": machines})
    found = cfnlint.api.lint(template, config=cfnlint.api.ManualArgs(regions=[region]))
    missing = {match.message.split("'")[1] for match in found if match.rule.id == "E3628"}
    assert missing == (set() if _REGIONS[region].t2_micro else {"t2.micro"})
