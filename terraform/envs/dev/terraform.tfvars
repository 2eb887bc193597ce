# Near zero at idle: the cluster pauses, no function is in a VPC. The first request after a pause is answered 503 with Retry-After.
region              = "eu-west-1"
name                = "memory-dev"
connection          = "data_api"
deletion_protection = false

# Written by `make build` into dist/.
artifact = {
  path          = "../../../dist/agent-memory-arm64.zip"
  sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
  sql_sha256    = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
}

database = {
  min_acu               = 0
  max_acu               = 2
  backup_retention_days = 1
}

tables = {
  memory  = { recovery_days = 1 }
  control = { recovery_days = 1 }
}

archive = { noncurrent_days = 1, force_destroy = true }
network = { flow_logs = false }

tags = { project = "agent-memory", environment = "dev" }
