variable "name" {
  description = "Name of the cluster and prefix of the names of its parts."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])*$", var.name)) && length(var.name) <= 50
    error_message = "name must be 1 to 50 lower-case letters, digits or single '-', a letter first and no '-' last; got ${var.name}."
  }
}

variable "vpc" {
  description = "Subnets, in two zones or more, and security groups of the database."
  type        = object({ subnet_ids = list(string), security_group_ids = list(string) })
  nullable    = false

  validation {
    condition     = length(var.vpc.subnet_ids) >= 2 && length(var.vpc.security_group_ids) >= 1
    error_message = "vpc needs at least 2 subnet_ids and 1 of security_group_ids; got ${length(var.vpc.subnet_ids)} and ${length(var.vpc.security_group_ids)}."
  }
}

variable "backup_retention_days" {
  description = "Days of continuous backup: an erasure is complete only after them."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = contains(range(1, 36), var.backup_retention_days)
    error_message = "backup_retention_days must be a whole number from 1 to 35; got ${var.backup_retention_days}."
  }
}

variable "capacity" {
  description = <<-EOT
    Aurora capacity units (ACU, 2 GiB each) between which each instance scales.
    - min_acu: 0 lets an idle cluster pause.
    - max_acu: also sets the number of connections.
    - auto_pause_s: idle seconds before the pause; null is Aurora's own 300.
  EOT
  type = object({
    min_acu      = optional(number, 0)
    max_acu      = optional(number, 4)
    auto_pause_s = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for acu in [var.capacity.min_acu, var.capacity.max_acu] : acu >= 0 && acu <= 256 && floor(2 * acu) == 2 * acu
    ])
    error_message = "capacity.min_acu and max_acu must be 0 to 256 in steps of 0.5; got ${jsonencode(var.capacity)}."
  }

  validation {
    condition     = var.capacity.max_acu >= 1 && var.capacity.max_acu >= var.capacity.min_acu
    error_message = "capacity.max_acu must be at least 1 and at least min_acu; got ${jsonencode(var.capacity)}."
  }

  validation {
    condition     = alltrue([for pause_s in var.capacity[*].auto_pause_s : coalesce(pause_s, 300) >= 300 && coalesce(pause_s, 300) <= 86400])
    error_message = "capacity.auto_pause_s must be 300 to 86400; got ${jsonencode(var.capacity)}."
  }

  validation {
    condition     = var.capacity.auto_pause_s == null || var.capacity.min_acu == 0
    error_message = "capacity.auto_pause_s has no effect unless min_acu is 0; got ${jsonencode(var.capacity)}."
  }
}

variable "database_name" {
  description = "Name of the database."
  type        = string
  default     = "memory"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,62}$", var.database_name))
    error_message = "database_name must be 1 to 63 lower-case letters, digits or '_', a letter first; got ${var.database_name}."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the cluster. Without it the secret's recovery window is left out too."
  type        = bool
  default     = true
  nullable    = false
}

variable "endpoint_override" {
  description = "Host name that clients get instead of the cluster's: for a stand-in whose own name does not resolve; null on AWS."
  type        = string
  default     = null

  validation {
    condition     = var.endpoint_override == null || can(regex("^[a-zA-Z0-9.-]+$", var.endpoint_override))
    error_message = "endpoint_override must be a host name or address without a port; got ${coalesce(var.endpoint_override, "null")}."
  }
}

variable "engine_version" {
  description = "Aurora PostgreSQL version; pgvector 0.8 comes with 16.8."
  type        = string
  default     = "16.13"
  nullable    = false

  validation {
    condition     = can(regex("^16\\.([89]|[1-9][0-9])$", var.engine_version))
    error_message = "engine_version must be 16.8 or a later 16.x, for pgvector 0.8; got ${var.engine_version}."
  }
}

variable "final_snapshot" {
  description = "Whether a destroy leaves the snapshot <name>-final. Delete or copy it before a cluster of the same name is destroyed again."
  type        = bool
  default     = true
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the customer managed KMS key; null uses AWS managed keys."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", coalesce(var.kms_key_arn, "arn:aws:kms:r:000000000000:key/none")))
    error_message = "kms_key_arn must be the ARN of a key, not an alias or an id; got ${coalesce(var.kms_key_arn, "null")}."
  }
}

variable "log_exports" {
  description = <<-EOT
    PostgreSQL's log in CloudWatch, without any parameter of a statement; null exports none.
    - retention_days: how long lines are kept.
    - slow_statement_ms: statements that take longer are logged.
  EOT
  type = object({
    retention_days    = optional(number, 30)
    slow_statement_ms = optional(number, 1000)
  })
  default = {}

  validation {
    condition     = alltrue([for log in var.log_exports[*] : contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400], log.retention_days)])
    error_message = "log_exports.retention_days must be one that CloudWatch offers, from 1 to 400; got ${jsonencode(var.log_exports)}."
  }

  validation {
    condition     = alltrue([for log in var.log_exports[*] : log.slow_statement_ms >= 1 && floor(log.slow_statement_ms) == log.slow_statement_ms])
    error_message = "log_exports.slow_statement_ms must be a whole number from 1; got ${jsonencode(var.log_exports)}."
  }
}

variable "performance_insights" {
  description = "Performance Insights kept for retention_days (7 is free of charge); null switches it off. It can keep an idle cluster above its minimum."
  type        = object({ retention_days = optional(number, 7) })
  default     = null

  validation {
    condition     = alltrue([for pi in var.performance_insights[*] : contains(concat([7, 731], range(31, 714, 31)), pi.retention_days)])
    error_message = "performance_insights.retention_days must be 7, 731 or a multiple of 31; got ${jsonencode(var.performance_insights)}."
  }
}

variable "port" {
  description = "Port of the database."
  type        = number
  default     = 5432
  nullable    = false

  validation {
    condition     = var.port >= 1150 && var.port <= 65535 && floor(var.port) == var.port
    error_message = "port must be a whole number from 1150 to 65535; got ${var.port}."
  }
}

variable "reader_count" {
  description = "Readers that take over when the writer fails; they pause and resume with it."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = contains([0, 1, 2], var.reader_count)
    error_message = "reader_count must be 0, 1 or 2; got ${var.reader_count}."
  }
}

variable "tags" {
  description = "Tags of everything the module creates."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "tags must not use the prefix aws:, which AWS keeps for itself; got ${join(", ", keys(var.tags))}."
  }
}
