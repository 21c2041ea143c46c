"""The only code that knows boto3, AWS request formats, or DynamoDB attributes."""
