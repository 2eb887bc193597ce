# Low latency: the cluster never pauses, a reader takes over when the writer fails, and Bedrock and STS are reached through two zones.
# The artifact is the release's: `make release` in the checkout of its tag, then
# -var-file=../../../dist/release/agent-memory-<version>-arm64.tfvars.json. A zip in a bucket of yours: docs/operations.md.
region              = "eu-west-1"
name                = "memory-prod"
connection          = "direct"
deletion_protection = true
tenant_sessions     = true # the functions in the VPC reach STS through an endpoint of its own

database = {
  min_acu               = 1
  max_acu               = 16
  reader_count          = 1
  backup_retention_days = 14
}

# What is deleted can be restored for this long.
tables = {
  memory  = { recovery_days = 14 }
  control = { recovery_days = 14 }
}

archive = { noncurrent_days = 14 }
network = { az_count = 3, endpoint_az_count = 2 }

alarms = {
  topic_arns = [] # yours, such as arn:aws:sns:eu-west-1:123456789012:on-call
  dashboard  = true
}

tags = { project = "agent-memory", environment = "prod" }
