# Where memories are kept, and how the functions reach them.

variable "analytics" {
  description = <<-EOT
    A table of Athena over the archive, which costs what is asked of it; null makes none. `first_day`: day of the oldest objects that
    queries see. `scan_limit_mib`: what one query may read. `results_days`: how long results are kept, which no erasure reaches.
  EOT
  type = object({
    first_day      = optional(string, "2024-01-01")
    scan_limit_mib = optional(number, 10240)
    results_days   = optional(number, 7)
  })
  default = null
}

variable "archive" {
  description = <<-EOT
    The bucket. `noncurrent_days`: how long a deleted object can be brought back. `transitions`: age in days at which objects move
    to a cheaper class. `access_log`: bucket and prefix for access logs. `force_destroy`: whether destroying deletes the contents.
  EOT
  type = object({
    noncurrent_days = optional(number, 7)
    transitions     = optional(map(number), { STANDARD_IA = 30, GLACIER_IR = 90 })
    access_log      = optional(object({ bucket = string, prefix = optional(string, "") }))
    force_destroy   = optional(bool, false)
  })
  default  = {}
  nullable = false
}

variable "connection" {
  description = <<-EOT
    How functions reach PostgreSQL. data_api: over HTTPS, no function in a VPC, the cluster may pause. direct: a connection of their
    own with IAM authentication. proxy: through RDS Proxy, for many concurrent functions.
  EOT
  type        = string
  default     = "data_api"
  nullable    = false

  validation {
    condition     = contains(["data_api", "direct", "proxy"], var.connection)
    error_message = "connection must be data_api, direct or proxy; got \"${var.connection}\"."
  }
}

variable "database" {
  description = <<-EOT
    The Aurora cluster. `min_acu` 0 lets it pause after `auto_pause_s` without a connection. `log_exports`: its log, without
    contents, in CloudWatch. `final_snapshot`: what a destroy leaves. `maintenance_hour_utc`: when what was deleted is removed from the
    disk, each day; it wakes a paused cluster. `endpoint_override`: host name to use instead of the cluster's own, for a stand-in.
  EOT
  type = object({
    engine_version        = optional(string, "16.13")
    min_acu               = optional(number, 0)
    max_acu               = optional(number, 4)
    auto_pause_s          = optional(number)
    reader_count          = optional(number, 0)
    backup_retention_days = optional(number, 7)
    final_snapshot        = optional(bool, true)
    port                  = optional(number, 5432)
    log_exports           = optional(bool, true)
    maintenance_hour_utc  = optional(number, 3)
    endpoint_override     = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.connection != "proxy" || var.database.min_acu >= 0.5
    error_message = "database.min_acu must be at least 0.5 with connection = \"proxy\": the proxy's open connections never let the cluster pause, so 0 would save nothing; got ${var.database.min_acu}."
  }

  validation {
    condition     = var.connection != "proxy" || var.database.port == 5432
    error_message = "database.port must be 5432 with connection = \"proxy\": a proxy listens on no other; got ${var.database.port}."
  }

  validation {
    condition     = contains(range(24), var.database.maintenance_hour_utc)
    error_message = "database.maintenance_hour_utc must be a whole number from 0 to 23; got ${var.database.maintenance_hour_utc}."
  }
}

variable "episodes" {
  description = <<-EOT
    How episodes move from the memory table to the archive. `hot_days`: how long they stay in the table, from which they are read
    fastest. `archive_within_days`: how long an episode of a quiet agent may wait for others, until its object is worth its write.
    `batch_window_s`: how long the archiver waits for changes to come together. `parallel`: how many batches of one shard of the
    stream are archived at the same time.
  EOT
  type = object({
    hot_days            = optional(number, 7)
    archive_within_days = optional(number, 7)
    batch_window_s      = optional(number, 60)
    parallel            = optional(number, 1)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(range(1, 366), var.episodes.hot_days)
    error_message = "episodes.hot_days must be a whole number from 1, for readers of the last day look into the table only, to 365; got ${var.episodes.hot_days}."
  }

  validation {
    condition     = contains(range(1, 31), var.episodes.archive_within_days)
    error_message = "episodes.archive_within_days must be a whole number from 1 to 30: until then an episode is in the table alone; got ${var.episodes.archive_within_days}."
  }

  validation {
    condition     = contains(range(301), var.episodes.batch_window_s)
    error_message = "episodes.batch_window_s must be a whole number from 0 to 300, the longest that Lambda waits; got ${var.episodes.batch_window_s}."
  }

  validation {
    condition     = contains(range(1, 11), var.episodes.parallel)
    error_message = "episodes.parallel must be a whole number from 1 to 10, the most that Lambda offers; got ${var.episodes.parallel}."
  }
}

variable "network" {
  description = <<-EOT
    The VPC of the database. Without `existing` one is created from `cidr` over `az_count` zones, with flow logs if wanted.
    `endpoint_az_count`: zones in which the endpoint of Bedrock is present and billed, with connection = "direct" or "proxy".
    `existing`: your own subnets and security groups, and in `endpoints` the AWS services that those subnets reach (dynamodb, s3,
    and bedrock-runtime under its private name; with tenant_sessions also sts, the region's own). The function group must be let out to, and the database group let in from it on,
    the database's port; the database group also from itself with a proxy, which is in that group.
  EOT
  type = object({
    cidr              = optional(string, "10.42.0.0/16")
    az_count          = optional(number, 2)
    endpoint_az_count = optional(number, 1)
    flow_logs         = optional(bool, true)
    existing = optional(object({
      subnet_ids                 = list(string)
      database_security_group_id = string
      function_security_group_id = optional(string)
      endpoints                  = optional(set(string), [])
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for own in var.network.existing[*] : length(setsubtract(local._endpoints_needed[var.connection], own.endpoints)) == 0
    ])
    error_message = "network.existing.endpoints lacks ${join(" and ", flatten([for own in var.network.existing[*] : tolist(setsubtract(local._endpoints_needed[var.connection], own.endpoints))]))}: with connection = \"${var.connection}\"${var.tenant_sessions == true ? " and tenant_sessions = true" : ""} database functions live in the VPC and would wait for it in vain."
  }

  validation {
    condition     = contains(range(1, var.network.az_count + 1), var.network.endpoint_az_count)
    error_message = "network.endpoint_az_count must be a whole number from 1 to network.az_count (${var.network.az_count}); got ${var.network.endpoint_az_count}."
  }

  validation {
    condition     = var.connection == "data_api" || alltrue([for own in var.network.existing[*] : own.function_security_group_id != null])
    error_message = "network.existing.function_security_group_id is needed with connection = \"${var.connection}\": database functions live in the VPC."
  }
}

variable "tables" {
  description = <<-EOT
    The two DynamoDB tables, memory and control. `capacity`: provisioned with autoscaling; null bills per request, bounded by
    `on_demand_limits`. `recovery_days`: how far back it can be restored, null for 35. `existing_name`: adopt that table,
    such as a restored copy, instead of creating one.
  EOT
  type = map(object({
    capacity = optional(object({
      read_min                   = number
      read_max                   = number
      write_min                  = number
      write_max                  = number
      target_utilisation_percent = optional(number, 70)
    }))
    on_demand_limits = optional(object({ read = number, write = number }))
    recovery_days    = optional(number)
    table_class      = optional(string, "STANDARD")
    existing_name    = optional(string)
  }))
  default  = { memory = {}, control = {} }
  nullable = false

  validation {
    condition     = toset(keys(var.tables)) == toset(["control", "memory"])
    error_message = "tables must describe memory and control, {} for the defaults; got ${join(", ", keys(var.tables))}."
  }
}

variable "tenant_sessions" {
  description = <<-EOT
    Whether functions reach DynamoDB and S3 with credentials of the request's tenant alone, taken from STS once for each tenant and
    function in 50 minutes. In a VPC that needs an endpoint of sts: true makes one in a created VPC and demands it in `existing`. Null:
    wherever STS is in reach, so not by functions in a VPC unless `network.existing.endpoints` names sts.
  EOT
  type        = bool
  default     = null
}

variable "vector_index" {
  description = <<-EOT
    How vectors are searched. quantized: by their signs, kept in a small index that stays in memory, then exactly; cheap to write.
    hnsw: through a graph, which is faster over large tenants and takes about 25 times the memory and 5 times the time of a write. A change
    builds the new indexes beside the old ones while everybody reads and writes; the schema function goes on daily until it is done.
  EOT
  type        = string
  default     = "quantized"
  nullable    = false

  validation {
    condition     = contains(["hnsw", "quantized"], var.vector_index)
    error_message = "vector_index must be hnsw or quantized; got \"${var.vector_index}\"."
  }
}
