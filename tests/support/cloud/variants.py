"""Values other than the defaults for every parameter of template.yaml, in few stacks."""

OTHER_STACKS = {
    "jwt": {
        "Auth": "jwt",
        "JwtIssuer": "https://issuer.example.com",
        "JwtAudience": "maas",
        "ApiDocuments": "open",
        "CorsOrigins": "https://app.example.com,https://other.example.com",
        "CodeRollout": "AllAtOnce",
    },
    "iam": {
        "Auth": "iam",
        "ApiRequestsPerSecond": "50",
        "ApiBurst": "60",
        "Tracing": "Active",
        "CodeRollout": "Linear10PercentEvery1Minute",
    },
    "one-header": {
        "KeyHeader": "x-api-key",
        "KeyCacheSeconds": "30",
        "KeyRequestsPerSecond": "100",
        "SnapStart": "PublishedVersions",
        "TableDeletionProtection": "true",
    },
    "sizes": {
        "InferenceMemory": "512",
        "DeploymentMemory": "1024",
        "BatchMemory": "1769",
        "BatchConcurrency": "2",
        "AsyncConcurrency": "2",
        "BatchShardSize": "1",
        "EphemeralStorage": "512",
        "MaxModelBytes": "1048576",
        "MaxTensorBytes": "1048576",
        "MaxModelVersions": "2",
        "MaxStoredBytes": "2097152",
        "JobRetentionDays": "15",
        "RetentionDays": "1",
        "UploadRetentionDays": "8",
        "LogRetentionDays": "1",
        "InferenceConcurrency": "3",
        "ManagementConcurrency": "3",
        "AuthorizerConcurrency": "3",
        "DeploymentConcurrency": "1",
        "PlannerConcurrency": "1",
    },
    "own-resources": {
        "AccessLogBucket": "access-logs-of-others",
        "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms",
        "AlarmErrorPercent": "5",
        "AlarmLatencyMs": "1000",
        "AlarmShardAgeSeconds": "600",
        "DomainName": "maas.example.com",
        "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",
        "HostedZoneId": "Z0123456789ABCDEFGHIJ",
    },
}
# Set by each deployment, or no matter of a stack of its own.
ELSEWHERE = {
    "Release": "`make deploy` sets it",
    "Architecture": "the layers are built for it, and those of another one cannot run here",
    "AwsEndpointUrl": "for `sam local`; Lambda's emulator gives the functions its own",
}
