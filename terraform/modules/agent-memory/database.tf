locals {
  # Services that database functions call, by connection mode; outside a VPC everything is in reach.
  _endpoints_needed = {
    data_api = []
    direct   = concat(["bedrock-runtime", "dynamodb", "s3"], local._sts_endpoint)
    proxy    = concat(["bedrock-runtime", "dynamodb", "s3"], local._sts_endpoint)
  }
  _sts_endpoint = var.tenant_sessions == true ? ["sts"] : []

  _network    = one(concat(module.network, var.network.existing[*]))
  _proxy_name = "${var.name}-proxy"
}

module "network" {
  source = "../network"
  count  = var.network.existing == null ? 1 : 0

  name                = var.name
  cidr                = var.network.cidr
  az_count            = var.network.az_count
  database_port       = var.database.port
  gateway_endpoints   = setintersection(local._endpoints_needed[var.connection], ["dynamodb", "s3"])
  interface_endpoints = setsubtract(local._endpoints_needed[var.connection], ["dynamodb", "s3"])
  endpoint_az_count   = var.network.endpoint_az_count
  flow_logs           = var.network.flow_logs ? { retention_days = var.log_retention_days, kms_key_arn = local._kms_key_arn } : null
  tags                = var.tags
}

module "database" {
  #checkov:skip=CKV_AWS_133:The default is 7 days; it is inside an object, where a scan of the source does not find it.
  source = "../aurora-pgvector"

  name           = "${var.name}-database"
  engine_version = var.database.engine_version
  port           = var.database.port
  capacity = {
    min_acu      = var.database.min_acu
    max_acu      = var.database.max_acu
    auto_pause_s = var.database.auto_pause_s
  }
  reader_count          = var.database.reader_count
  backup_retention_days = var.database.backup_retention_days
  final_snapshot        = var.database.final_snapshot
  deletion_protection   = var.deletion_protection
  endpoint_override     = var.database.endpoint_override
  log_exports           = var.database.log_exports ? { retention_days = var.log_retention_days } : null
  kms_key_arn           = local._kms_key_arn
  tags                  = var.tags

  vpc = {
    subnet_ids         = local._network.subnet_ids
    security_group_ids = [local._network.database_security_group_id]
  }
}

module "proxy" {
  source = "../rds-proxy"
  count  = var.connection == "proxy" ? 1 : 0

  name               = local._proxy_name
  cluster_identifier = module.database.cluster_identifier
  min_acu            = module.database.min_acu
  secret_arn         = module.database.app_secret_arn
  kms_key_arn        = local._kms_key_arn
  tags               = var.tags

  vpc = {
    subnet_ids         = local._network.subnet_ids
    security_group_ids = [local._network.database_security_group_id]
  }
}

# Runs when something that it reads has changed; destroying it does nothing, the cluster goes by itself.
resource "aws_lambda_invocation" "schema" {
  function_name   = module.function["schema"].function_name
  lifecycle_scope = "CREATE_ONLY"
  input           = jsonencode({})

  triggers = {
    sql          = var.artifact.sql_sha256
    code         = var.artifact.sha256_base64
    cluster      = module.database.cluster_resource_id
    connection   = var.connection
    vector_index = var.vector_index
  }
}
