"""Small projects for the local stack: a template and handlers in a folder."""

from pathlib import Path

BASE = """
Parameters: {AwsEndpointUrl: {Type: String, Default: ""}}
Globals: {Function: {Handler: app.lambda_handler, Timeout: 5, MemorySize: 128}}
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled}
      NotificationConfiguration: {EventBridgeConfiguration: {EventBridgeEnabled: true}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}, {AttributeName: sk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}, {AttributeName: sk, KeyType: RANGE}]
"""


def write(folder: Path, resources: str, handler: str) -> Path:
    """The template's path; `resources` are added to a bucket and a table, `handler` is functions/one/app.py."""
    (folder / "functions" / "one").mkdir(parents=True)
    (folder / "functions" / "one" / "app.py").write_text(handler)
    (folder / "template.yaml").write_text(BASE + resources)
    return folder / "template.yaml"
