"""Deletes a stack with the data that its deletion retains."""

from typing import Any

from botocore.exceptions import ClientError

from support.cloud import deployment


def delete_all(account: Any, name: str) -> None:
    """Nothing remains but SAM's own bucket (stack aws-sam-cli-managed-default), which all its stacks share."""
    data = retained(account, name)
    deployment.delete(account, name)
    if table := data.get("AWS::DynamoDB::Table"):
        tables = account.client("dynamodb")
        if tables.describe_table(TableName=table)["Table"].get("DeletionProtectionEnabled"):
            tables.update_table(TableName=table, DeletionProtectionEnabled=False)
        tables.delete_table(TableName=table)
    if bucket := data.get("AWS::S3::Bucket"):
        empty(account.client("s3"), bucket)
        account.client("s3").delete_bucket(Bucket=bucket)


def retained(account: Any, name: str) -> dict[str, str]:
    """Physical names of bucket and table by type; of a first deployment that failed there are none."""
    cloudformation = account.client("cloudformation")
    try:
        pages = list(cloudformation.get_paginator("list_stack_resources").paginate(StackName=name))
    except ClientError as error:
        if "does not exist" in str(error):
            return {}
        raise
    kinds = ("AWS::DynamoDB::Table", "AWS::S3::Bucket")
    return {
        one["ResourceType"]: one["PhysicalResourceId"]
        for page in pages
        for one in page["StackResourceSummaries"]
        if one["ResourceType"] in kinds and one["ResourceStatus"] != "DELETE_COMPLETE"
    }


def empty(s3: Any, bucket: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        objects = [
            {"Key": one["Key"], "VersionId": one["VersionId"]}
            for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
        ]
        if objects:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
