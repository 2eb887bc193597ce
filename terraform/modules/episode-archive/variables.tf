variable "name" {
  description = "Name of the bucket, unique among all of AWS."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 63 lower-case letters, digits or '-', not first or last a '-'; got ${var.name}."
  }
}

variable "access_log" {
  description = "Bucket and key prefix that receive S3 server access logs (keys name tenants and agents); null writes none."
  type        = object({ bucket = string, prefix = optional(string, "") })
  default     = null

  validation {
    condition     = alltrue([for log in var.access_log[*] : log.bucket != var.name])
    error_message = "access_log.bucket must be another bucket, or each log line would cause the next one; got ${jsonencode(var.access_log)}."
  }
}

variable "force_destroy" {
  description = "Whether destroying the bucket also deletes what is in it."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the customer managed KMS key; null uses keys that S3 manages (AES256)."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", coalesce(var.kms_key_arn, "arn:aws:kms:r:000000000000:key/none")))
    error_message = "kms_key_arn must be the ARN of a key, not an alias or an id; got ${coalesce(var.kms_key_arn, "null")}."
  }
}

variable "noncurrent_days" {
  description = "Days for which a replaced or deleted object can still be brought back: an erasure is complete only after them."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = contains(range(1, 36), var.noncurrent_days)
    error_message = "noncurrent_days must be a whole number from 1 to 35; got ${var.noncurrent_days}."
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

variable "transitions" {
  description = <<-EOT
    Age in days at which an object of 128 KB or more moves to a cheaper class, by class: STANDARD_IA,
    INTELLIGENT_TIERING or GLACIER_IR, all of them readable at once. Empty keeps everything in STANDARD.
  EOT
  type        = map(number)
  default     = { STANDARD_IA = 30, GLACIER_IR = 90 }
  nullable    = false

  validation {
    condition     = alltrue([for class in keys(var.transitions) : contains(["STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR"], class)])
    error_message = "transitions may name STANDARD_IA, INTELLIGENT_TIERING and GLACIER_IR: other classes are not readable at once or live in one zone; got ${join(", ", keys(var.transitions))}."
  }

  validation {
    condition     = alltrue([for days in values(var.transitions) : days >= 1 && days <= 36500 && floor(days) == days])
    error_message = "transitions need whole numbers of days from 1 to 36500; got ${jsonencode(var.transitions)}."
  }

  validation {
    condition = alltrue([
      for class in ["INTELLIGENT_TIERING", "GLACIER_IR"] :
      lookup(var.transitions, class, 100000) - lookup(var.transitions, "STANDARD_IA", -30) >= 30
    ])
    error_message = "transitions must come to STANDARD_IA first and leave 30 days there, which are paid for in any case; got ${jsonencode(var.transitions)}."
  }

  validation {
    condition     = lookup(var.transitions, "INTELLIGENT_TIERING", 0) < lookup(var.transitions, "GLACIER_IR", 100000)
    error_message = "transitions must come to INTELLIGENT_TIERING before GLACIER_IR, as S3 only moves that way; got ${jsonencode(var.transitions)}."
  }
}
