# As production, smaller: connections of the functions' own, so that latency and connection limits show before production does.
region     = "eu-west-1"
name       = "memory-staging"
connection = "direct"

# Written by `make release`; the bucket is yours.
artifact = {
  bucket        = "my-artifacts"
  key           = "agent-memory/0.1.0/agent-memory-arm64.zip"
  sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
  sql_sha256    = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
}

# 0.5 ACU is about USD 44 a month; with 0 the first request after a pause waits for the cluster.
database = {
  min_acu = 0.5
  max_acu = 4
}

tables = {
  memory  = { recovery_days = 7 }
  control = { recovery_days = 7 }
}

alarms = { topic_arns = [] }

tags = { project = "agent-memory", environment = "staging" }
