variable "name" {
  description = "Name of the deployment; everything it creates is named <name>-<role>."
  type        = string
  nullable    = false

  validation { # the bucket's name also holds account and region, 63 characters in all
    condition     = can(regex("^[a-z](-?[a-z0-9])+$", var.name)) && length(var.name) <= 24
    error_message = "name must be 2 to 24 lower-case letters, digits or single hyphens, beginning with a letter; got \"${var.name}\"."
  }
}

variable "artifact" {
  description = <<-EOT
    Zip and hashes that `make build` wrote. The zip is either `path` (a file beside Terraform) or `bucket`, `key` and
    optionally `version`. `sha256_base64` and `sql_sha256` tell when code or schema changed; `architecture` is what it was built for.
  EOT
  type = object({
    path          = optional(string)
    bucket        = optional(string)
    key           = optional(string)
    version       = optional(string)
    sha256_base64 = string
    sql_sha256    = string
    architecture  = optional(string, "arm64")
  })
  nullable = false

  validation {
    condition     = (var.artifact.path == null) != (var.artifact.bucket == null)
    error_message = "artifact takes either path or bucket and key: give exactly one of them."
  }

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.artifact.sql_sha256))
    error_message = "artifact.sql_sha256 must be 64 hexadecimal digits, as make build prints them; got \"${var.artifact.sql_sha256}\"."
  }
}

variable "alarms" {
  description = "Alarms (at most 10 billed metrics), the SNS topics that hear of them, and optionally a dashboard; null makes none."
  type = object({
    topic_arns = optional(set(string), [])
    dashboard  = optional(bool, false)
  })
  default = null
}

variable "api" {
  description = <<-EOT
    The HTTP API. `throttle`: requests per second and burst over all tenants. `cors`: web origins that may call it; null for none.
    `pepper_version`: raise it to make a new secret for the hashes of API keys; the one before stays valid for existing keys.
  EOT
  type = object({
    throttle       = optional(object({ rate = optional(number, 100), burst = optional(number, 200) }), {})
    cors           = optional(object({ origins = set(string), max_age_s = optional(number, 600) }))
    pepper_version = optional(number, 1)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.api.pepper_version >= 1 && var.api.pepper_version < 1000 && floor(var.api.pepper_version) == var.api.pepper_version
    error_message = "api.pepper_version must be a whole number from 1 to 999; got ${var.api.pepper_version}."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete tables and cluster. Destroying a deployment takes two steps: switch it off, then destroy."
  type        = bool
  default     = true
  nullable    = false
}

variable "context" {
  description = "`deadline_s`: by when `POST /v1/context` answers with what has come; what a slow store did not give is named in the answer."
  type        = object({ deadline_s = optional(number, 2.5) })
  default     = {}
  nullable    = false

  validation { # the functions have 13 s and more
    condition     = var.context.deadline_s >= 0.5 && var.context.deadline_s <= 10
    error_message = "context.deadline_s must be 0.5 seconds, less than which no cold connection takes, to 10, for which nobody waits; got ${var.context.deadline_s}."
  }
}

variable "embedding" {
  description = <<-EOT
    How texts become vectors. `model_id`: the Bedrock model, to be had in the deployment's region. `dimensions`: numbers of a vector;
    fewer than 1024 are kept in the same space. `chunk_tokens`: about how long the pieces are into which a longer text is cut.
    `timeout_s`: how long one request may wait for all its pieces; the functions get 11 s more, and the HTTP API gives up after 30.
    `next`: the model, or the dimensions, that the deployment changes to while it is used: the functions may call it and write its
    vectors as soon as `embeddings start` says so (docs/operations.md). Changing `model_id` or `dimensions` without those steps
    leaves older memories to search by words alone.
  EOT
  type = object({
    model_id     = optional(string, "amazon.titan-embed-text-v2:0")
    dimensions   = optional(number, 1024)
    chunk_tokens = optional(number, 256)
    timeout_s    = optional(number, 18)
    next = optional(object({
      model_id   = optional(string, "amazon.titan-embed-text-v2:0")
      dimensions = optional(number, 1024)
    }))
  })
  default  = {}
  nullable = false

  validation { # it also keeps wildcards out of the policies that name the model
    condition     = can(regex("^amazon\\.titan-embed-text-v2:[0-9]+$", var.embedding.model_id))
    error_message = "embedding.model_id must be a version of Titan Text Embeddings V2 such as amazon.titan-embed-text-v2:0, the one model whose form the functions speak; got \"${var.embedding.model_id}\"."
  }

  validation {
    condition     = contains([256, 512, 1024], var.embedding.dimensions)
    error_message = "embedding.dimensions must be 256, 512 or 1024, which the model offers; got ${var.embedding.dimensions}."
  }

  validation {
    condition     = var.embedding.chunk_tokens >= 64 && var.embedding.chunk_tokens <= 8192 && floor(var.embedding.chunk_tokens) == var.embedding.chunk_tokens
    error_message = "embedding.chunk_tokens must be a whole number from 64, below which a piece says too little to be found, to 8192, the most that the model reads; got ${var.embedding.chunk_tokens}."
  }

  validation {
    condition     = var.embedding.timeout_s >= 2 && var.embedding.timeout_s <= 600
    error_message = "embedding.timeout_s must be 2 to 600 seconds; got ${var.embedding.timeout_s}."
  }

  validation {
    condition = alltrue([
      for n in var.embedding.next[*] : can(regex("^amazon\\.titan-embed-text-v2:[0-9]+$", n.model_id)) && contains([256, 512, 1024], n.dimensions)
    ])
    error_message = "embedding.next must be a version of Titan Text Embeddings V2 such as amazon.titan-embed-text-v2:0, with 256, 512 or 1024 dimensions."
  }

  validation {
    condition = alltrue([
      for n in var.embedding.next[*] : n.model_id != var.embedding.model_id || n.dimensions != var.embedding.dimensions
    ])
    error_message = "embedding.next is the model that the deployment has already; leave it out."
  }
}

variable "encryption" {
  description = "Your own KMS key for everything stored, which must let CloudWatch Logs use it; null creates one."
  type        = object({ kms_key_arn = string })
  default     = null

  validation {
    condition     = alltrue([for e in var.encryption[*] : can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", e.kms_key_arn))])
    error_message = "encryption.kms_key_arn must be the ARN of a key, not an alias or an id."
  }
}

variable "functions" {
  description = <<-EOT
    Size of the functions. `reserved_concurrency`: function => executions set aside, and its upper limit; with connection =
    "direct" it bounds the database connections. None are reserved otherwise: small accounts have none to spare.
  EOT
  type = object({
    memory_mib           = optional(number, 512)
    reserved_concurrency = optional(map(number), {})
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for name in keys(var.functions.reserved_concurrency) : contains(local._function_names, name)
    ])
    error_message = "functions.reserved_concurrency may name ${join(", ", local._function_names)}; got ${join(", ", keys(var.functions.reserved_concurrency))}."
  }
}

variable "limits" {
  description = <<-EOT
    What each tenant may use, unless an operator gives it limits of its own; null is no limit. `requests_per_second` holds in each
    second of the clock; `requests_per_month` and `embeddings_per_month` in each month (UTC); `stored_bytes` counts states and
    episodes, `vectors` pieces of stored texts. A request over a limit is answered 429. Changes hold within 60 s. `retention_days`:
    after how many days an episode expires, whatever its writer says; the archive has removed it 7 days later.
  EOT
  type = object({
    requests_per_second  = optional(number)
    requests_per_month   = optional(number)
    embeddings_per_month = optional(number)
    stored_bytes         = optional(number)
    vectors              = optional(number)
    retention_days       = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for limit in values(var.limits) : limit == null ? true : limit >= 0 && limit < 1000000000000000 && floor(limit) == limit])
    error_message = "limits must be whole numbers from 0 to below 10^15, or null for no limit; got ${jsonencode(var.limits)}."
  }

  validation {
    condition     = alltrue([for limit in [var.limits.requests_per_second, var.limits.requests_per_month] : limit == null ? true : limit >= 1])
    error_message = "limits.requests_per_second and requests_per_month must be at least 1, or every tenant is locked out."
  }

  validation {
    condition     = var.limits.retention_days == null ? true : var.limits.retention_days >= 1 && var.limits.retention_days <= 36500
    error_message = "limits.retention_days must be from 1 to 36500, or null to keep episodes until they are deleted; got ${coalesce(var.limits.retention_days, 0)}."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept. They hold ids and counts, never what is remembered."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400], var.log_retention_days)
    error_message = "log_retention_days must be one that CloudWatch offers, from 1 to 400; got ${var.log_retention_days}."
  }
}

variable "search" {
  description = <<-EOT
    How texts are found. `check_share`: what share of the searches is compared with the exact answer once it is answered, for an alarm
    when what is nearest is missed; 0 checks none. `language`: whose endings words lose before they are compared, `none` for none; English words
    that say nothing are left out as well. It holds for texts that are stored from then on, and for all queries: after a change,
    older memories are found by those words whose stem is the same in both.
  EOT
  type = object({
    check_share = optional(number, 0.001)
    language    = optional(string, "english")
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.search.check_share >= 0 && var.search.check_share <= 1
    error_message = "search.check_share must be from 0 to 1; got ${var.search.check_share}."
  }

  validation {
    condition = contains([
      "arabic", "armenian", "basque", "catalan", "czech", "danish", "dutch", "english", "esperanto",
      "estonian", "finnish", "french", "german", "greek", "hindi", "hungarian", "indonesian", "irish",
      "italian", "lithuanian", "nepali", "none", "norwegian", "persian", "polish", "portuguese", "romanian",
      "russian", "serbian", "sesotho", "spanish", "swedish", "tamil", "turkish", "yiddish",
    ], var.search.language)
    error_message = "search.language must be a language whose stems are known, in lower case, such as english, german or none; got \"${var.search.language}\"."
  }
}

variable "tags" {
  description = "Tags of everything the module creates."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "jobs" {
  description = <<-EOT
    Work that requests leave behind, such as the end of a session. `max_attempts`: deliveries before a job has failed and its message
    is a dead letter; 5 are about half an hour of a store that is away. `max_concurrency`: workers at the same time, null for as many as
    Lambda has; with connection = "direct" each holds a connection to the database.
  EOT
  type = object({
    max_attempts    = optional(number, 5)
    max_concurrency = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for n in var.jobs.max_concurrency[*] : contains(range(2, 1001), n)])
    error_message = "jobs.max_concurrency must be a whole number from 2, the fewest that Lambda can be held to, to 1000, or null; got ${coalesce(var.jobs.max_concurrency, 0)}."
  }
}

variable "summarizer" {
  description = <<-EOT
    A Bedrock model that summarises transcripts of ended sessions; null, the default: no model writes or reads anything but vectors, and
    a transcript is refused. `model_id`: a model or an inference profile that answers Converse. `resource_arns`: what IAM has to
    name for it, if not the model of this region; an inference profile needs its own ARN and those of its models. `max_input_tokens`
    (by estimate) and `max_output_tokens` bound each call, `timeout_s` all calls for one transcript.
  EOT
  type = object({
    model_id          = string
    resource_arns     = optional(set(string), [])
    max_input_tokens  = optional(number, 32000)
    max_output_tokens = optional(number, 2000)
    timeout_s         = optional(number, 60)
  })
  default = null

  validation { # it also keeps wildcards out of the policy that names the model
    condition     = alltrue([for s in var.summarizer[*] : can(regex("^[a-zA-Z0-9][a-zA-Z0-9.:/_-]*$", s.model_id))])
    error_message = "summarizer.model_id must be the id of a model or of an inference profile; got \"${try(var.summarizer.model_id, "")}\"."
  }

  validation {
    condition = alltrue(flatten([
      for s in var.summarizer[*] : [for arn in s.resource_arns : can(regex("^arn:[a-z-]+:bedrock:[a-z0-9-]*:[0-9]*:(foundation-model|inference-profile|application-inference-profile)/[^*]+$", arn))]
    ]))
    error_message = "summarizer.resource_arns must be ARNs of Bedrock's models and inference profiles, without \"*\"; got ${join(", ", try(var.summarizer.resource_arns, []))}."
  }

  validation {
    condition     = alltrue([for s in var.summarizer[*] : s.max_output_tokens >= 256 && s.max_output_tokens <= 8192 && floor(s.max_output_tokens) == s.max_output_tokens])
    error_message = "summarizer.max_output_tokens must be a whole number from 256 to 8192; got ${try(var.summarizer.max_output_tokens, 0)}."
  }

  validation {
    condition     = alltrue([for s in var.summarizer[*] : s.max_input_tokens >= 1000 && s.max_input_tokens <= 1000000 && floor(s.max_input_tokens) == s.max_input_tokens])
    error_message = "summarizer.max_input_tokens must be a whole number from 1000 to 1000000; got ${try(var.summarizer.max_input_tokens, 0)}."
  }

  validation {
    condition     = alltrue([for s in var.summarizer[*] : s.timeout_s >= 10 && s.timeout_s <= 300 && floor(s.timeout_s) == s.timeout_s])
    error_message = "summarizer.timeout_s must be a whole number from 10 to 300 seconds; got ${try(var.summarizer.timeout_s, 0)}."
  }
}
