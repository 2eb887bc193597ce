variable "name" {
  description = "Name of the bucket, unique among all of AWS."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 63 lower-case letters, digits or '-', not first or last a '-'; got ${var.name}."
  }
}

variable "expire_days" {
  description = "Days after which an object is removed."
  type        = number
  nullable    = false

  validation {
    condition     = contains(range(1, 91), var.expire_days)
    error_message = "expire_days must be a whole number from 1 to 90; got ${var.expire_days}."
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
