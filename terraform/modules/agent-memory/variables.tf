variable "name" {
  description = "Name of the deployment; everything it creates is named <name>-<role>."
  type        = string
  nullable    = false

  validation { # the bucket's name also holds account and region, 63 characters in all
    condition     = can(regex("^[a-z](-?[a-z0-9])+$", var.name)) && length(var.name) <= 24
    error_message = "name must be 2 to 24 lower-case letters, digits or single hyphens, beginning with a letter; got \"${var.name}\"."
  }
}

variable "artifact" {
  description = <<-EOT
    Zip and hashes that `make build` wrote. The zip is either `path` (a file beside Terraform) or `bucket`, `key` and
    optionally `version`. `sha256_base64` and `sql_sha256` tell when code or schema changed; `architecture` is what it was built for.
  EOT
  type = object({
    path          = optional(string)
    bucket        = optional(string)
    key           = optional(string)
    version       = optional(string)
    sha256_base64 = string
    sql_sha256    = string
    architecture  = optional(string, "arm64")
  })
  nullable = false

  validation {
    condition     = (var.artifact.path == null) != (var.artifact.bucket == null)
    error_message = "artifact takes either path or bucket and key: give exactly one of them."
  }

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.artifact.sql_sha256))
    error_message = "artifact.sql_sha256 must be 64 hexadecimal digits, as make build prints them; got \"${var.artifact.sql_sha256}\"."
  }
}

variable "alarms" {
  description = "Alarms (at most 10 billed metrics), the SNS topics that hear of them, and optionally a dashboard; null makes none."
  type = object({
    topic_arns = optional(set(string), [])
    dashboard  = optional(bool, false)
  })
  default = null
}

variable "api" {
  description = <<-EOT
    The HTTP API. `throttle`: requests per second and burst over all tenants. `cors`: web origins that may call it; null for none.
    `pepper_version`: raise it to make a new secret for the hashes of API keys; the one before stays valid for existing keys.
  EOT
  type = object({
    throttle       = optional(object({ rate = optional(number, 100), burst = optional(number, 200) }), {})
    cors           = optional(object({ origins = set(string), max_age_s = optional(number, 600) }))
    pepper_version = optional(number, 1)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.api.pepper_version >= 1 && var.api.pepper_version < 1000 && floor(var.api.pepper_version) == var.api.pepper_version
    error_message = "api.pepper_version must be a whole number from 1 to 999; got ${var.api.pepper_version}."
  }
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
    contents, in CloudWatch. `final_snapshot`: what a destroy leaves. `endpoint_override`: host name to use instead of the cluster's own, for a stand-in.
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
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete tables and cluster. Destroying a deployment takes two steps: switch it off, then destroy."
  type        = bool
  default     = true
  nullable    = false
}

variable "encryption" {
  description = "Your own KMS key for everything stored, which must let CloudWatch Logs use it; null creates one."
  type        = object({ kms_key_arn = string })
  default     = null

  validation {
    condition     = alltrue([for e in var.encryption[*] : can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", e.kms_key_arn))])
    error_message = "encryption.kms_key_arn must be the ARN of a key, not an alias or an id."
  }
}

variable "functions" {
  description = <<-EOT
    Size of the functions. `reserved_concurrency`: function => executions set aside, and its upper limit; with connection =
    "direct" it bounds the database connections. None are reserved otherwise: small accounts have none to spare.
  EOT
  type = object({
    memory_mib           = optional(number, 512)
    reserved_concurrency = optional(map(number), {})
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for name in keys(var.functions.reserved_concurrency) : contains(["authorizer", "working", "episodic", "health", "schema"], name)
    ])
    error_message = "functions.reserved_concurrency may name authorizer, working, episodic, health and schema; got ${join(", ", keys(var.functions.reserved_concurrency))}."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept. They hold ids and counts, never what is remembered."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400], var.log_retention_days)
    error_message = "log_retention_days must be one that CloudWatch offers, from 1 to 400; got ${var.log_retention_days}."
  }
}

variable "network" {
  description = <<-EOT
    The VPC of the database. Without `existing` one is created from `cidr` over `az_count` zones, with flow logs if wanted.
    `existing`: your own subnets and security groups, and in `endpoints` the AWS services that those subnets reach (s3, dynamodb).
    The function group must be let out to, and the database group let in from it on, the database's port; the database group
    also from itself with a proxy, which is in that group.
  EOT
  type = object({
    cidr      = optional(string, "10.42.0.0/16")
    az_count  = optional(number, 2)
    flow_logs = optional(bool, true)
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
    error_message = "network.existing.endpoints lacks ${join(" and ", flatten([for own in var.network.existing[*] : tolist(setsubtract(local._endpoints_needed[var.connection], own.endpoints))]))}: with connection = \"${var.connection}\" database functions live in the VPC and would wait for it in vain."
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

variable "tags" {
  description = "Tags of everything the module creates."
  type        = map(string)
  default     = {}
  nullable    = false
}
