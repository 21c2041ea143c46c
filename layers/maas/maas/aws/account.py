"""The AWS account of a command's user: the identity, and the table of a CloudFormation stack."""

from botocore.exceptions import BotoCoreError, ClientError

from maas.aws.clients import client
from maas.aws.dynamodb import Table, boto3_call
from maas.errors import MaasError, NotFound


class Account:
    """Uses the credentials and endpoints that boto3 finds; `region` None is the profile's."""

    def __init__(self, region: str | None) -> None:
        self._region = region

    def identity(self) -> str:
        """The ARN of the credentials. Raises MaasError with AWS's message."""
        try:
            arn: str = client("sts", self._region, "").get_caller_identity()["Arn"]
        except (BotoCoreError, ClientError) as error:
            raise MaasError(f"AWS: {error}") from None
        return arn

    def table_of(self, stack: str) -> str:
        """The stack's output TableName. Raises MaasError."""
        try:
            found = client("cloudformation", self._region, "").describe_stacks(StackName=stack)
        except (BotoCoreError, ClientError) as error:
            raise MaasError(f"AWS: {error}") from None
        outputs = {one["OutputKey"]: one["OutputValue"] for one in found["Stacks"][0].get("Outputs", [])}
        if "TableName" not in outputs:
            raise NotFound("output", "TableName", of=stack)
        name: str = outputs["TableName"]
        return name

    def table(self, name: str) -> Table:
        try:
            return Table(boto3_call(client("dynamodb", self._region, "")), name)
        except BotoCoreError as error:
            raise MaasError(f"AWS: {error}") from None
