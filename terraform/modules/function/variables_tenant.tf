# What a function does on behalf of tenants. A function that works for all of them at once leaves this out.

variable "tenant_policy" {
  description = <<-EOT
    What the function may do for the tenant of a request: statement name => `actions` on `resources`, like `policy`, with tables and
    indexes for DynamoDB, the bucket's ARN for S3, and the key that both are encrypted with. Keys of items begin with `<tenant>#`,
    names of objects with `<tenant>/`, or with `!<place>/<tenant>/` where a place of the bucket is named as `<ARN>/!<place>`, as no
    tenant can be. `within` narrows objects further, to those below such a folder of the tenant's. Null for a function that serves no tenant, or all of them at once.
  EOT
  type = map(object({
    actions   = set(string)
    resources = set(string)
    within    = optional(string, "")
  }))
  default = null

  validation {
    condition     = alltrue([for name in keys(merge(var.tenant_policy, {})) : can(regex("^[a-zA-Z0-9]+$", name))])
    error_message = "tenant_policy: a statement's name becomes its Sid and holds only letters and digits."
  }

  validation {
    condition     = alltrue([for name in keys(merge(var.tenant_policy, {})) : !contains(concat(keys(local._own_statements), keys(var.policy), ["Decrypt", "TakeTenantRole"]), name)])
    error_message = "tenant_policy: a name may not be used in policy too, and Logs, DeadLetter, Traces, Decrypt, NetworkInterfaces and TakeTenantRole are the module's own."
  }

  validation {
    condition     = alltrue([for s in values(merge(var.tenant_policy, {})) : length(s.actions) > 0 && length(s.resources) > 0])
    error_message = "tenant_policy: every statement names at least one action and one resource."
  }

  validation {
    condition     = !anytrue(flatten([for s in values(merge(var.tenant_policy, {})) : [for a in s.actions : strcontains(a, "*")]]))
    error_message = "tenant_policy: actions are named one by one, without \"*\"."
  }

  validation {
    condition = alltrue([
      for s in values(merge(var.tenant_policy, {})) : anytrue([
        for kind in local._tenant_kinds : (
          alltrue([for a in s.actions : can(regex(kind.actions, a))]) && alltrue([for arn in s.resources : can(regex(kind.resources, arn))])
        )
      ])
    ])
    error_message = "tenant_policy: a statement holds actions of one kind on what they are narrowed by: items (dynamodb:... on tables and indexes), listing (s3:ListBucket, s3:ListBucketVersions) or objects (s3:...Object...) on a bucket, or use of a key (kms:...) on a key. What cannot be narrowed to a tenant belongs in policy."
  }

  validation {
    condition = alltrue([
      for s in values(merge(var.tenant_policy, {})) :
      s.within == "" || (can(regex("^([a-z]+|\\*)(/([a-z]+|\\*))*/$", s.within)) && alltrue([for a in s.actions : startswith(a, "s3:") && strcontains(a, "Object")]))
    ])
    error_message = "tenant_policy: within is a folder of objects, of names in lower case or \"*\", and ends with \"/\"."
  }

  # A scan, a statement of PartiQL, and whatever is about a table as a whole have no key that a tenant could be read from.
  validation {
    condition = alltrue(flatten([
      for s in values(merge(var.tenant_policy, {})) : [for a in s.actions : !startswith(a, "dynamodb:") || contains(local._keyed_actions, a)]
    ]))
    error_message = "tenant_policy: of DynamoDB's actions it may hold ${join(", ", local._keyed_actions)}; no other has a key for IAM to look at."
  }
}

variable "tenant_sessions" {
  description = <<-EOT
    Whether `tenant_policy` is a role of its own, `<name>-tenant`, that the function takes for one tenant at a time and is told of by
    TENANT_ROLE_ARN. It has to reach STS. Without, the statements are the function's own, for every tenant's records.
  EOT
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = !var.tenant_sessions || var.tenant_policy == null || length(var.name) <= 57
    error_message = "name must have 57 characters at most with tenant_sessions: the role for tenants is called <name>-tenant; got \"${var.name}\"."
  }
}

# Static, so that a validation may look at it.
locals {
  _keyed_actions = [
    "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem", "dynamodb:DeleteItem",
    "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
  ]

  # What can be narrowed to a tenant: the actions of a statement, and what it is about.
  _tenant_kinds = {
    items   = { actions = "^dynamodb:", resources = "^arn:[^:]+:dynamodb:[^:]*:[^:]*:table/[^/*]+(/index/[^/]+)?$" }
    listing = { actions = "^s3:ListBucket(Versions)?$", resources = "^arn:[^:]+:s3:::[^/*]+$" }
    objects = { actions = "^s3:[A-Z][a-z]+Object", resources = "^arn:[^:]+:s3:::[^/*]+(/![a-z]+)?$" }
    keys    = { actions = "^kms:", resources = "^arn:[^:]+:kms:[^:*]+:[^:*]+:key/[^*]+$" }
  }
}
