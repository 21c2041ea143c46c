"""The only homes of AWS: nothing outside this folder knows boto3, S3 keys of requests, or DynamoDB attributes."""
