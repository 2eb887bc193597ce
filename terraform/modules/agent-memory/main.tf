data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  _account   = data.aws_caller_identity.current.account_id
  _partition = data.aws_partition.current.partition
  _region    = data.aws_region.current.id
}

module "table" {
  source   = "../memory-table"
  for_each = var.tables

  name                   = "${var.name}-${each.key}"
  capacity               = each.value.capacity
  on_demand_limits       = each.value.on_demand_limits
  point_in_time_recovery = { days = each.value.recovery_days }
  table_class            = each.value.table_class
  existing_table_name    = each.value.existing_name
  stream                 = local._table_shapes[each.key].stream
  global_indexes         = local._table_shapes[each.key].global_indexes
  deletion_protection    = var.deletion_protection
  kms_key_arn            = local._kms_key_arn
  tags                   = merge(var.tags, { agent-memory = each.key }) # tells policy/checks which table is memory
}

locals {
  # Records change and are archived from the stream; keys, jobs and idempotency records are not.
  _table_shapes = {
    memory = {
      stream = "NEW_AND_OLD_IMAGES"
      global_indexes = {
        by_session = { hash_key = "session_key", range_key = "time_key" }
        by_user    = { hash_key = "user_key", range_key = "time_key" }
        by_run     = { hash_key = "run_key", range_key = "time_key" }
      }
    }
    control = {
      stream = null
      global_indexes = {
        by_tenant = { hash_key = "tenant_key", range_key = "sk" }
      }
    }
  }
}

module "archive" {
  source = "../episode-archive"

  # Bucket names are shared by everybody on AWS.
  name            = "${var.name}-archive-${local._account}-${local._region}"
  noncurrent_days = var.archive.noncurrent_days
  transitions     = var.archive.transitions
  access_log      = var.archive.access_log
  force_destroy   = var.archive.force_destroy
  kms_key_arn     = local._kms_key_arn
  tags            = var.tags
}

module "analytics" {
  source = "../archive-analytics"
  count  = var.analytics == null ? 0 : 1

  name           = var.name
  bucket_name    = module.archive.bucket_name
  results        = { bucket_name = "${var.name}-query-results-${local._account}-${local._region}", days = var.analytics.results_days }
  first_day      = var.analytics.first_day
  scan_limit_mib = var.analytics.scan_limit_mib
  force_destroy  = var.archive.force_destroy
  kms_key_arn    = local._kms_key_arn
  tags           = var.tags
}

module "api" {
  source = "../http-api"

  name               = var.name
  routes             = local._routes
  functions          = { for name in distinct(local._routes[*].function) : name => local._functions[name] }
  authorizer         = local._functions.authorizer
  throttle           = var.api.throttle
  cors               = var.api.cors
  log_retention_days = var.log_retention_days
  kms_key_arn        = local._kms_key_arn
  tags               = var.tags
}

module "observability" {
  source = "../observability"
  count  = var.alarms == null ? 0 : 1

  name                   = var.name
  alarm_topic_arns       = var.alarms.topic_arns
  dashboard              = var.alarms.dashboard
  api_id                 = module.api.api_id
  cluster_identifier     = module.database.cluster_identifier
  dead_letter_queue_name = module.jobs.dead_letter_name
  functions              = { for name, function in local._functions : name => function.function_name }
  archiver_name          = module.function["archiver"].function_name
  sweeper_name           = module.function["sweeper"].function_name
  search_name            = module.database_function["semantic"].function_name
  proxy_name             = var.connection == "proxy" ? local._proxy_name : null
  tables                 = { for role, table in module.table : role => table.table_name }
  tags                   = var.tags
}
