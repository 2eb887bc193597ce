# Low latency: the cluster never pauses, a reader takes over when the writer fails.
# The artifact comes with the release to be deployed, as -var-file.
region              = "eu-west-1"
name                = "memory-prod"
connection          = "direct"
deletion_protection = true

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
