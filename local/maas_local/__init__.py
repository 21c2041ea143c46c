"""The serverless system on one machine, without Docker or AWS: `maas local`.

What there is (functions, routes, environment, table, bucket, event rules) is read from template.yaml; S3, DynamoDB,
EventBridge and SQS are moto's server; the handlers are the real ones, called with the events that AWS would send.
"""
