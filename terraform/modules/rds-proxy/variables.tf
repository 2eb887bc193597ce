variable "name" {
  description = "Name of the proxy and prefix of the name of its role."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])*$", var.name)) && length(var.name) <= 50
    error_message = "name must be 1 to 50 lower-case letters, digits or single '-', a letter first and no '-' last; got ${var.name}."
  }
}

variable "cluster_identifier" {
  description = "Name of the Aurora cluster behind the proxy."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])*$", var.cluster_identifier)) && length(var.cluster_identifier) <= 63
    error_message = "cluster_identifier must be the name of a cluster, not an ARN; got ${var.cluster_identifier}."
  }
}

variable "min_acu" {
  description = "Least capacity of the cluster in ACU."
  type        = number
  nullable    = false

  validation {
    condition     = var.min_acu >= 0.5
    error_message = "min_acu must be at least 0.5 behind a proxy: its open connections never let the cluster pause, so 0 would save nothing; got ${var.min_acu}."
  }
}

variable "secret_arn" {
  description = "ARN of the secret with the name and password of the database user."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:secretsmanager:", var.secret_arn))
    error_message = "secret_arn must be the ARN of a secret; got ${var.secret_arn}."
  }
}

variable "vpc" {
  description = "Subnets, in two zones or more, and security groups of the proxy."
  type        = object({ subnet_ids = list(string), security_group_ids = list(string) })
  nullable    = false

  validation {
    condition     = length(var.vpc.subnet_ids) >= 2 && length(var.vpc.security_group_ids) >= 1
    error_message = "vpc needs at least 2 subnet_ids and 1 of security_group_ids; got ${length(var.vpc.subnet_ids)} and ${length(var.vpc.security_group_ids)}."
  }
}

variable "borrow_timeout_s" {
  description = "Seconds for which a client waits for a free database connection."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = contains(range(1, 30), var.borrow_timeout_s)
    error_message = "borrow_timeout_s must be a whole number from 1 to 29, below the 30 s after which the HTTP API gives up; got ${var.borrow_timeout_s}."
  }
}

variable "idle_client_timeout_s" {
  description = "Seconds after which the proxy closes a client connection that does nothing."
  type        = number
  default     = 900
  nullable    = false

  validation {
    condition     = var.idle_client_timeout_s >= 1 && var.idle_client_timeout_s <= 28800 && floor(var.idle_client_timeout_s) == var.idle_client_timeout_s
    error_message = "idle_client_timeout_s must be a whole number from 1 to 28800; got ${var.idle_client_timeout_s}."
  }
}

variable "kms_key_arn" {
  description = "ARN of the customer managed KMS key that encrypts the secret; null for the AWS managed key."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", coalesce(var.kms_key_arn, "arn:aws:kms:r:000000000000:key/none")))
    error_message = "kms_key_arn must be the ARN of a key, not an alias or an id; got ${coalesce(var.kms_key_arn, "null")}."
  }
}

variable "max_connections_percent" {
  description = "Share of the database's connections that the proxy may open; the rest stays for operators and the Data API."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = contains(range(1, 101), var.max_connections_percent)
    error_message = "max_connections_percent must be a whole number from 1 to 100; got ${var.max_connections_percent}."
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
