variable "name" {
  description = "Name of the function, its role and its log group."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9-_]{1,64}$", var.name))
    error_message = "name must be 1 to 64 letters, digits, hyphens or underscores, not \"${var.name}\"."
  }
}

variable "artifact" {
  description = <<-EOT
    Zip built by `make build`; Terraform neither builds nor opens it. Either `path` (a file beside Terraform) or
    `bucket`, `key` and, where the bucket keeps versions, `version`. `sha256_base64` tells Lambda when the code changed.
  EOT
  type = object({
    path          = optional(string)
    bucket        = optional(string)
    key           = optional(string)
    version       = optional(string)
    sha256_base64 = string
  })
  nullable = false

  validation {
    condition     = (var.artifact.path == null) != (var.artifact.bucket == null)
    error_message = "artifact takes either path or bucket and key: give exactly one of them."
  }

  validation {
    condition = (
      (var.artifact.bucket == null) == (var.artifact.key == null)
      && (var.artifact.version == null || var.artifact.bucket != null)
    )
    error_message = "artifact.bucket and artifact.key belong together, and artifact.version needs both."
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9+/]{43}=$", var.artifact.sha256_base64))
    error_message = "artifact.sha256_base64 must be the base64 form of a SHA-256 (44 characters), not \"${var.artifact.sha256_base64}\"."
  }
}

variable "dead_letter_arn" {
  description = "ARN of the SQS queue that receives events this function could not process."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[^:]+:sqs:", var.dead_letter_arn))
    error_message = "dead_letter_arn must be the ARN of an SQS queue, not \"${var.dead_letter_arn}\"."
  }
}

variable "handler" {
  description = "Python handler, as module.path.function."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_]*(\\.[a-z_][a-z0-9_]*)+$", var.handler))
    error_message = "handler must be a dotted Python name such as package.module.handler, not \"${var.handler}\"."
  }
}

variable "policy" {
  description = <<-EOT
    What the function may do, beyond writing its own logs and traces: statement name => `actions` on `resources`.
    Actions are named one by one. The resource "*" is for actions that AWS offers no narrower form of, and needs a `reason`.
    `leading_keys` narrows a statement on a DynamoDB table to the items of these partition keys.
  EOT
  type = map(object({
    actions      = set(string)
    resources    = set(string)
    reason       = optional(string)
    leading_keys = optional(set(string))
  }))
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.policy) : can(regex("^[a-zA-Z0-9]+$", name))])
    error_message = "policy: a statement's name becomes its Sid and holds only letters and digits."
  }

  validation {
    condition     = alltrue([for name in keys(var.policy) : !contains(keys(local._own_statements), name)])
    error_message = "policy: the names Logs, DeadLetter, Traces, Decrypt and NetworkInterfaces are the module's own."
  }

  validation {
    condition     = alltrue([for s in values(var.policy) : length(s.actions) > 0 && length(s.resources) > 0])
    error_message = "policy: every statement names at least one action and one resource."
  }

  validation {
    condition     = !anytrue(flatten([for s in values(var.policy) : [for a in s.actions : strcontains(a, "*")]]))
    error_message = "policy: actions are named one by one, without \"*\"."
  }

  validation {
    condition     = alltrue([for s in values(var.policy) : s.reason != null || !contains(s.resources, "*")])
    error_message = "policy: the resource \"*\" needs a reason saying why AWS offers nothing narrower."
  }

  validation {
    condition = alltrue(flatten([
      for s in values(var.policy) : [for a in s.actions : contains(local._keyed_actions, a)] if s.leading_keys != null
    ]))
    error_message = "policy: leading_keys narrows ${join(", ", local._keyed_actions)}; no other action has a key for IAM to look at."
  }
}

variable "architecture" {
  description = "Processor that the artifact was built for: arm64 or x86_64."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be arm64 or x86_64, not \"${var.architecture}\"."
  }
}

variable "environment" {
  description = "Environment variables of the function. Names and ARNs, never secrets: whoever may describe the function reads them."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "kms_key_arn" {
  description = "KMS key for environment variables and logs; null leaves both to keys that AWS owns."
  type        = string
  default     = null

  validation {
    condition     = alltrue([for arn in var.kms_key_arn[*] : can(regex("^arn:[^:]+:kms:", arn))])
    error_message = "kms_key_arn must be the ARN of a KMS key."
  }
}

variable "log_retention_days" {
  description = "Days that log lines are kept; one of the periods that CloudWatch Logs offers."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827], var.log_retention_days)
    error_message = "log_retention_days must be a period that CloudWatch Logs offers (1, 3, 5, 7, 14, 30, 60, 90, ...), not ${var.log_retention_days}."
  }
}

variable "memory_mib" {
  description = "Memory; the share of a processor grows with it."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.memory_mib >= 128 && var.memory_mib <= 10240 && floor(var.memory_mib) == var.memory_mib
    error_message = "memory_mib must be a whole number from 128 to 10240, not ${var.memory_mib}."
  }
}

variable "reserved_concurrency" {
  description = "Executions set aside for this function and its upper limit. Null reserves none: small accounts have none to spare."
  type        = number
  default     = null

  validation {
    condition     = alltrue([for n in var.reserved_concurrency[*] : n >= 1])
    error_message = "reserved_concurrency must be at least 1; 0 would stop the function. Null reserves none."
  }
}

variable "tags" {
  description = "Tags of everything this module creates."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "timeout_s" {
  description = "Seconds until Lambda stops an invocation."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.timeout_s >= 1 && var.timeout_s <= 900
    error_message = "timeout_s must be from 1 to 900, not ${var.timeout_s}."
  }
}

variable "vpc" {
  description = "Subnets and security groups of a function that needs an address in a VPC; null keeps it out of one."
  type = object({
    subnet_ids         = set(string)
    security_group_ids = set(string)
  })
  default = null

  validation {
    condition     = alltrue([for v in var.vpc[*] : length(v.subnet_ids) > 0 && length(v.security_group_ids) > 0])
    error_message = "vpc needs at least one subnet and one security group."
  }
}
