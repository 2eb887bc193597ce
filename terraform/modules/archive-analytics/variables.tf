variable "name" {
  description = "Name of the deployment: the database is named <name> with underscores, the workgroup <name>-analytics."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])+$", var.name)) && length(var.name) <= 64
    error_message = "name must be 2 to 64 lower-case letters, digits or single hyphens, beginning with a letter; got \"${var.name}\"."
  }
}

variable "bucket_name" {
  description = "Name of the archive's bucket."
  type        = string
  nullable    = false
}

variable "results" {
  description = "Where results of queries lie: name of a bucket to make, and the days after which they are removed."
  type = object({
    bucket_name = string
    days        = optional(number, 7)
  })
  nullable = false

  validation {
    condition     = contains(range(1, 31), var.results.days)
    error_message = "results.days must be a whole number from 1 to 30: results quote what was remembered, and no erasure reaches them; got ${var.results.days}."
  }
}

variable "first_day" {
  description = "Day (yyyy-mm-dd) of the oldest objects that queries see; the fewer days, the fewer places to look into."
  type        = string
  default     = "2024-01-01"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", var.first_day)) && can(formatdate("YYYY", "${var.first_day}T00:00:00Z"))
    error_message = "first_day must be a day as yyyy-mm-dd; got \"${var.first_day}\"."
  }
}

variable "force_destroy" {
  description = "Whether destroying the module also deletes results and the history of queries."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the customer managed KMS key that encrypts results; null uses keys that S3 manages (AES256)."
  type        = string
  default     = null
}

variable "scan_limit_mib" {
  description = "MiB that one query may read before it is stopped; Athena bills what is read, compressed as it is."
  type        = number
  default     = 10240
  nullable    = false

  validation {
    condition     = var.scan_limit_mib >= 10 && floor(var.scan_limit_mib) == var.scan_limit_mib
    error_message = "scan_limit_mib must be a whole number from 10, the least that Athena takes; got ${var.scan_limit_mib}."
  }
}

variable "tags" {
  description = "Tags of everything the module creates."
  type        = map(string)
  default     = {}
  nullable    = false
}
