variable "name" {
  description = "Prefix of the names of the VPC and its parts."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,39}$", var.name))
    error_message = "name must be 1 to 40 lower-case letters, digits or '-', a letter first; got ${var.name}."
  }
}

variable "az_count" {
  description = "Number of availability zones with a subnet."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = contains([2, 3], var.az_count)
    error_message = "az_count must be 2 or 3, as Aurora needs two; got ${var.az_count}."
  }
}

variable "cidr" {
  description = "IPv4 range of the VPC."
  type        = string
  default     = "10.42.0.0/16"
  nullable    = false

  validation {
    condition     = can(regex("/(1[6-9]|2[0-4])$", var.cidr)) && can(cidrhost(var.cidr, 0))
    error_message = "cidr must be an IPv4 range from /16 to /24; got ${var.cidr}."
  }
}

variable "database_port" {
  description = "Port of the database."
  type        = number
  default     = 5432
  nullable    = false

  validation {
    condition     = var.database_port >= 1150 && var.database_port <= 65535 && floor(var.database_port) == var.database_port
    error_message = "database_port must be a whole number from 1150 to 65535; got ${var.database_port}."
  }
}

variable "endpoint_az_count" {
  description = "Number of zones in which each interface endpoint is present and billed."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = contains(range(1, var.az_count + 1), var.endpoint_az_count)
    error_message = "endpoint_az_count must be a whole number from 1 to az_count (${var.az_count}); got ${var.endpoint_az_count}."
  }
}

variable "flow_logs" {
  description = "Log of the addresses and ports that talked: retention_days in CloudWatch, encrypted by kms_key_arn if given; null writes none."
  type        = object({ retention_days = optional(number, 30), kms_key_arn = optional(string) })
  default     = null

  validation {
    condition     = alltrue([for log in var.flow_logs[*] : contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400], log.retention_days)])
    error_message = "flow_logs.retention_days must be one that CloudWatch offers, from 1 to 400; got ${jsonencode(var.flow_logs)}."
  }
}

variable "gateway_endpoints" {
  description = "AWS services that functions in the VPC reach for nothing: dynamodb, s3. Empty where no function lives in the VPC."
  type        = set(string)
  default     = ["dynamodb", "s3"]
  nullable    = false

  validation {
    condition     = length(setsubtract(var.gateway_endpoints, ["dynamodb", "s3"])) == 0
    error_message = "gateway_endpoints may name dynamodb and s3; got ${join(", ", var.gateway_endpoints)}."
  }
}

variable "interface_endpoints" {
  description = "AWS services that functions in the VPC call besides S3 and DynamoDB: bedrock-runtime, sts. Each is billed by the hour."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.interface_endpoints, ["bedrock-runtime", "sts"])) == 0
    error_message = "interface_endpoints may name bedrock-runtime and sts; got ${join(", ", var.interface_endpoints)}."
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
