variable "name" {
  description = "Name of the table."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.name))
    error_message = "name must be 3 to 255 letters, digits, '_', '.' or '-'; got ${var.name}."
  }
}

variable "capacity" {
  description = <<-EOT
    Provisioned capacity with autoscaling, for the table and each of its indexes; null bills per request.
    - read_min, read_max, write_min, write_max: bounds in capacity units per second.
    - target_utilisation_percent: share of the capacity that scaling aims to keep in use.
  EOT
  type = object({
    read_min                   = number
    read_max                   = number
    write_min                  = number
    write_max                  = number
    target_utilisation_percent = optional(number, 70)
  })
  default = null

  validation {
    condition = alltrue([
      for c in var.capacity[*] : c.read_min >= 1 && c.read_min <= c.read_max && c.write_min >= 1 && c.write_min <= c.write_max
    ])
    error_message = "capacity needs 1 <= min <= max for reads and writes; got ${jsonencode(var.capacity)}."
  }

  validation {
    condition     = alltrue([for c in var.capacity[*] : c.target_utilisation_percent >= 20 && c.target_utilisation_percent <= 90])
    error_message = "capacity.target_utilisation_percent must be 20 to 90; got ${jsonencode(var.capacity)}."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the table."
  type        = bool
  default     = true
  nullable    = false
}

variable "existing_table_name" {
  description = "Name of a table to adopt instead of creating one, such as a restored copy; null creates the table."
  type        = string
  default     = null

  validation {
    condition     = var.existing_table_name == null || can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.existing_table_name))
    error_message = "existing_table_name must be 3 to 255 letters, digits, '_', '.' or '-'; got ${coalesce(var.existing_table_name, "null")}."
  }
}

variable "global_indexes" {
  description = <<-EOT
    Global secondary indexes by name; their keys are strings.
    - hash_key: attribute that partitions the index.
    - range_key: attribute that sorts it; null for none.
    - projection: KEYS_ONLY or ALL.
  EOT
  type = map(object({
    hash_key   = string
    range_key  = optional(string)
    projection = optional(string, "KEYS_ONLY")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = length(var.global_indexes) <= 20
    error_message = "global_indexes may hold at most 20 indexes; got ${length(var.global_indexes)}."
  }

  validation {
    condition     = alltrue([for name in keys(var.global_indexes) : can(regex("^[a-zA-Z0-9_.-]{3,255}$", name))])
    error_message = "global_indexes names must be 3 to 255 letters, digits, '_', '.' or '-'; got ${join(", ", keys(var.global_indexes))}."
  }

  validation {
    condition     = alltrue([for index in values(var.global_indexes) : contains(["KEYS_ONLY", "ALL"], index.projection)])
    error_message = "global_indexes projection must be KEYS_ONLY or ALL; got ${jsonencode(var.global_indexes)}."
  }
}

variable "hash_key" {
  description = "String attribute that partitions the table."
  type        = string
  default     = "pk"
  nullable    = false

  validation {
    condition     = length(var.hash_key) >= 1 && length(var.hash_key) <= 255
    error_message = "hash_key must be 1 to 255 characters; got ${length(var.hash_key)}."
  }
}

variable "kms_key_arn" {
  description = "ARN of the customer managed KMS key; null uses the key that AWS owns."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", coalesce(var.kms_key_arn, "arn:aws:kms:r:000000000000:key/none")))
    error_message = "kms_key_arn must be the ARN of a key, not an alias or an id; got ${coalesce(var.kms_key_arn, "null")}."
  }
}

variable "on_demand_limits" {
  description = "Most request units per second that an on-demand table serves, {read, write}: a ceiling on the bill; null for none."
  type        = object({ read = number, write = number })
  default     = null

  validation {
    condition     = alltrue([for limit in var.on_demand_limits[*] : limit.read >= 1 && limit.write >= 1])
    error_message = "on_demand_limits must be at least 1 each; got ${jsonencode(var.on_demand_limits)}."
  }

  validation {
    condition     = var.on_demand_limits == null || var.capacity == null
    error_message = "on_demand_limits only bound an on-demand table, so leave them null with capacity; got ${jsonencode(var.on_demand_limits)}."
  }
}

variable "point_in_time_recovery" {
  description = "Continuous backups reaching back `days`, or 35 days where `days` is null; null switches them off."
  type        = object({ days = optional(number) })
  default     = {}

  validation {
    condition = alltrue([
      for days in var.point_in_time_recovery[*].days : contains(range(1, 36), coalesce(days, 35))
    ])
    error_message = "point_in_time_recovery.days must be a whole number from 1 to 35; got ${jsonencode(var.point_in_time_recovery)}."
  }
}

variable "range_key" {
  description = "String attribute that sorts within a partition."
  type        = string
  default     = "sk"
  nullable    = false

  validation {
    condition     = length(var.range_key) >= 1 && length(var.range_key) <= 255 && var.range_key != var.hash_key
    error_message = "range_key must be 1 to 255 characters and differ from hash_key; got ${var.range_key}."
  }
}

variable "stream" {
  description = "What each record of the change stream holds (KEYS_ONLY, NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES); null for no stream."
  type        = string
  default     = null

  validation {
    condition     = var.stream == null || contains(["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"], coalesce(var.stream, "-"))
    error_message = "stream must be KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES; got ${coalesce(var.stream, "null")}."
  }
}

variable "table_class" {
  description = "STANDARD, or STANDARD_INFREQUENT_ACCESS where storage costs more than requests."
  type        = string
  default     = "STANDARD"
  nullable    = false

  validation {
    condition     = contains(["STANDARD", "STANDARD_INFREQUENT_ACCESS"], var.table_class)
    error_message = "table_class must be STANDARD or STANDARD_INFREQUENT_ACCESS; got ${var.table_class}."
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

variable "ttl_attribute" {
  description = "Number attribute with the epoch second from which DynamoDB may delete an item; null for no such deletion."
  type        = string
  default     = "evict_at"

  validation {
    condition     = var.ttl_attribute == null || try(length(var.ttl_attribute) >= 1 && length(var.ttl_attribute) <= 255, false)
    error_message = "ttl_attribute must be 1 to 255 characters; got ${jsonencode(var.ttl_attribute)}."
  }
}
