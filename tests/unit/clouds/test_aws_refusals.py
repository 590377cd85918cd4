"""What an operator of AWS is told, before anything is made and after."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.clouds.amazon import refusal, up
from tests.unit.clouds.deploying import deploy
from tests.unit.clouds.ec2 import Account, account
from tests.unit.engine import LookupFailedError


@pytest.mark.usefixtures("in_amazon")
def test_a_type_that_the_region_has_not_is_told_with_the_free_one_there() -> None:
    north = account("eu-north-1")
    assert (
        "cyberhubs:cloud.instanceType: eu-north-1 has no t2.micro; the free type there is t3.micro"
        in refusal(north)
    )
    assert not north.machines()
    up(north, {"instanceType": "t3.micro"})
    assert north.machines()


def test_a_type_that_a_free_plan_would_refuse_is_told_before_anything_is_made(cloud: Account) -> None:
    told = up(cloud, {"instanceType": "t2.micro"}).run.told.of("warning")
    assert "AWS's free plan has no t2.micro for this account; it has " in told
    assert "set cloud.instanceType to t3.micro" in told


@pytest.mark.parametrize("free", ["t3.micro", "t3.small"])
def test_a_type_that_a_free_plan_has_needs_no_word(cloud: Account, free: str) -> None:
    assert "free plan" not in up(cloud, {"instanceType": free}).run.told.of("warning")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"instanceType": "t3.mirco"},
            "cyberhubs:cloud.instanceType: ca-central-1 has no t3.mirco; the nearest there are t3.micro",
        ),
        (
            {"subnetId": "subnet-0abc"},
            "cyberhubs:cloud.subnetId: ca-central-1 has no subnet subnet-0abc of yours",
        ),
        (
            {"dataVolumeId": "vol-0abc"},
            "cyberhubs:cloud.dataVolumeId: ca-central-1 has no volume vol-0abc of yours",
        ),
        (
            {"keyPair": "lost", "sshKeyFile": "~/.ssh/x"},
            "cyberhubs:cloud.keyPair: ca-central-1 has no key pair lost",
        ),
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_made(
    cloud: Account, settings: dict[str, Any], words: str
) -> None:
    assert words in refusal(cloud, settings)
    assert not cloud.machines()
    assert not cloud.data_volumes()


def test_a_subnet_away_from_the_volume_is_refused(cloud: Account) -> None:
    volume = cloud.ec2.create_volume(AvailabilityZone="ca-central-1b", Size=50)["VolumeId"]
    filters = [{"Name": "availability-zone", "Values": ["ca-central-1a"]}]
    subnet = cloud.ec2.describe_subnets(Filters=filters)["Subnets"][0]["SubnetId"]
    message = refusal(cloud, {"dataVolumeId": volume, "subnetId": subnet})
    assert (
        f"{subnet} is in ca-central-1a and the data volume in ca-central-1b, which it cannot leave" in message
    )
    assert not cloud.machines()


def test_a_volume_that_would_have_to_shrink_is_refused(cloud: Account) -> None:
    up(cloud)
    assert "the data volume has 50 GB and volumes never shrink" in refusal(
        cloud, {"dataGb": 40}, in_state=cloud.state()
    )


def test_an_account_without_a_default_network_is_told_how_to_get_one(cloud: Account) -> None:
    for subnet in cloud.ec2.describe_subnets()["Subnets"]:
        cloud.ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    assert "aws ec2 create-default-vpc" in refusal(cloud)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("No valid credential sources found.", "There are no credentials for AWS"),
        ("operation error STS: api error InvalidClientTokenId", "AWS refused the credentials"),
        ("api error ExpiredToken: The security token is expired", "The AWS credentials have expired"),
        (
            "api error UnauthorizedOperation: You are not authorized",
            "may not do what is needed; see docs/aws.md",
        ),
        ("invalid AWS Region: ca-central-9", "cloud.region: AWS has no such region"),
        ("api error RequestLimitExceeded", "AWS answered: api error RequestLimitExceeded"),
    ],
)
def test_what_is_wrong_with_credentials_is_told(cloud: Account, said: str, words: str) -> None:
    def fail(_: dict[str, Any]) -> Any:
        raise LookupFailedError(f"1 error occurred:\n\t* {said}")

    lookups = {"aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": fail}
    assert words in refusal(cloud, lookups=lookups)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("stop_instances", "does not run (it is stopped); start it with `aws ec2 start-instances"),
        ("terminate_instances", "the stack's machine is gone"),
    ],
)
def test_a_machine_that_is_stopped_or_gone_is_told(cloud: Account, action: str, words: str) -> None:
    up(cloud)
    state = cloud.state()
    identity = state["aws:ec2/instance:Instance::hub-machine"]["id"]
    getattr(cloud.ec2, action)(InstanceIds=[identity])
    table = {"aws:ec2/eip:Eip": {"publicIp": "3.96.0.1", "allocationId": "x"}}
    got = deploy({"kind": "aws", "region": cloud.region}, made=table, lookups=cloud.lookups(), in_state=state)
    assert words in got.run.told.of("warning")
