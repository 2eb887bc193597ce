# As production, smaller: connections of the functions' own, so that latency and connection limits show before production does.
# The artifact is the release's: `make release` in the checkout of its tag, then
# -var-file=../../../dist/release/agent-memory-<version>-arm64.tfvars.json. A zip in a bucket of yours: docs/operations.md.
region          = "eu-west-1"
name            = "memory-staging"
connection      = "direct"
tenant_sessions = true

# 0.5 ACU is about USD 44 a month; with 0 the cluster pauses, and what needs SQL is answered 503 until it is back.
database = {
  min_acu = 0.5
  max_acu = 4
}

# What is deleted can be restored for this long.
tables = {
  memory  = { recovery_days = 7 }
  control = { recovery_days = 7 }
}

alarms = { topic_arns = [] }

tags = { project = "agent-memory", environment = "staging" }
