variable "name" {
  description = "Name of the API; its log group is named after it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9-_]{1,64}$", var.name))
    error_message = "name must be 1 to 64 letters, digits, hyphens or underscores, not \"${var.name}\"."
  }
}

variable "authorizer" {
  description = <<-EOT
    Function that turns the Authorization header into a tenant and scopes. Its answer is kept for `ttl_s` seconds, which is
    also how long a revoked key still works.
  EOT
  type = object({
    function_name = string
    invoke_arn    = string
    ttl_s         = optional(number, 60)
  })
  nullable = false

  validation {
    condition     = var.authorizer.ttl_s >= 0 && var.authorizer.ttl_s <= 60
    error_message = "authorizer.ttl_s must be from 0 to 60, not ${var.authorizer.ttl_s}: a revoked key would work for that long."
  }
}

variable "functions" {
  description = "Functions that the routes name: name => how to invoke it."
  type = map(object({
    function_name = string
    invoke_arn    = string
  }))
  nullable = false
}

variable "routes" {
  description = "Routes: `route` is \"METHOD /path\" or \"$default\", `function` a key of functions, `scope` what a key must hold (null: open to everybody)."
  type = list(object({
    route    = string
    function = string
    scope    = optional(string)
  }))
  nullable = false

  validation {
    condition = alltrue([
      for r in var.routes : can(regex("^(\\$default|(GET|POST|PUT|PATCH|DELETE) /[A-Za-z0-9._~/{}+-]*)$", r.route))
    ])
    error_message = "routes: each route is $default, or a method and a path such as GET /v1/state/{agent_id}."
  }

  validation {
    condition     = length(distinct(var.routes[*].route)) == length(var.routes)
    error_message = "routes: the same route appears twice."
  }

  validation {
    condition     = length(setsubtract(var.routes[*].function, keys(var.functions))) == 0
    error_message = "routes name functions that the functions input lacks: ${join(", ", setsubtract(var.routes[*].function, keys(var.functions)))}."
  }

  validation {
    condition     = alltrue([for r in var.routes : contains(["read", "write", "erase", "admin"], r.scope) if r.scope != null])
    error_message = "routes: a scope is read, write, erase or admin, or null for an open route."
  }

  # With an authorizer there, an unknown path would answer 401 instead of our 404.
  validation {
    condition     = contains([for r in var.routes : r.route if r.scope == null], "$default")
    error_message = "routes: $default must be there, with scope null, to answer unknown paths with our own 404."
  }
}

variable "cors" {
  description = "Web origins whose pages may call the API, and how long browsers remember it; null answers none."
  type = object({
    origins   = set(string)
    max_age_s = optional(number, 600)
  })
  default = null

  validation {
    condition     = alltrue(flatten([for c in var.cors[*] : [for o in c.origins : can(regex("^https?://[^*/]+$", o))]]))
    error_message = "cors.origins holds origins such as https://app.example.org, without wildcard or path."
  }
}

variable "kms_key_arn" {
  description = "KMS key of the access log; null leaves it to a key that AWS owns."
  type        = string
  default     = null

  validation {
    condition     = alltrue([for arn in var.kms_key_arn[*] : can(regex("^arn:[^:]+:kms:", arn))])
    error_message = "kms_key_arn must be the ARN of a KMS key."
  }
}

variable "log_retention_days" {
  description = "Days that the access log is kept; one of the periods that CloudWatch Logs offers."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827], var.log_retention_days)
    error_message = "log_retention_days must be a period that CloudWatch Logs offers (1, 3, 5, 7, 14, 30, 60, 90, ...), not ${var.log_retention_days}."
  }
}

variable "tags" {
  description = "Tags of everything this module creates."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "throttle" {
  description = "Requests per second over all routes and tenants, and the burst above them; more is answered 429 by the gateway."
  type = object({
    rate  = optional(number, 100)
    burst = optional(number, 200)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.throttle.rate >= 1 && var.throttle.burst >= 1
    error_message = "throttle.rate and throttle.burst must be at least 1; with 0 the API would refuse everything."
  }
}
