# Near zero at idle: the cluster pauses, and no function is in a VPC. State and episodes never wake it; semantic memory does, and
# is answered 503 until it is back.
# `make plan ENV=dev` adds the artifact from dist/, as -var-file=../../../dist/agent-memory-arm64.tfvars.json does.
region              = "eu-west-1"
name                = "memory-dev"
connection          = "data_api"
deletion_protection = false

database = {
  min_acu               = 0
  max_acu               = 2
  backup_retention_days = 1
  final_snapshot        = false
}

tables = {
  memory  = { recovery_days = 1 }
  control = { recovery_days = 1 }
}

archive = { noncurrent_days = 1, force_destroy = true }

tags = { project = "agent-memory", environment = "dev" }
