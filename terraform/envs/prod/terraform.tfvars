# Low latency: the cluster never pauses, a reader takes over when the writer fails.
region              = "eu-west-1"
name                = "memory-prod"
connection          = "direct"
deletion_protection = true

# Written by `make release`; the bucket is yours.
artifact = {
  bucket        = "my-artifacts"
  key           = "agent-memory/0.1.0/agent-memory-arm64.zip"
  sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
  sql_sha256    = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
}

database = {
  min_acu               = 1
  max_acu               = 16
  reader_count          = 1
  backup_retention_days = 14
}

# An erasure is complete when the longest of these windows has passed.
tables = {
  memory  = { recovery_days = 14 }
  control = { recovery_days = 14 }
}

archive = { noncurrent_days = 14 }
network = { az_count = 3 }

alarms = {
  topic_arns = [] # yours, such as arn:aws:sns:eu-west-1:123456789012:on-call
  dashboard  = true
}

tags = { project = "agent-memory", environment = "prod" }
