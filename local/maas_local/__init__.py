"""The serverless system on one machine, without Docker or AWS: `maas local`.

Functions, routes, environment variables, table, bucket and event rules come from template.yaml. moto's server provides
S3, DynamoDB, EventBridge and SQS. The handlers are the real ones and get the events that AWS would send.
"""
