variable "name" {
  description = "Name of the deployment; alarms and dashboard begin with it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9-_]{1,64}$", var.name))
    error_message = "name must be 1 to 64 letters, digits, hyphens or underscores, not \"${var.name}\"."
  }
}

variable "api_id" {
  description = "Id of the HTTP API."
  type        = string
  nullable    = false
}

variable "archiver_name" {
  description = "Name of the function that follows the memory table's stream."
  type        = string
  nullable    = false
}

variable "cluster_identifier" {
  description = "Identifier of the Aurora cluster."
  type        = string
  nullable    = false
}

variable "dead_letter_queue_name" {
  description = "Name of the queue where events end that no function could process."
  type        = string
  nullable    = false
}

variable "functions" {
  description = "Functions that the dashboard shows: role => function name."
  type        = map(string)
  nullable    = false
}

variable "search_name" {
  description = "Name of the function that searches memories, which checks a share of the searches."
  type        = string
}

variable "sweeper_name" {
  description = "Name of the function that counts episodes which the archive should have and has not."
  type        = string
  nullable    = false
}

variable "tables" {
  description = "DynamoDB tables: role => table name. At most two, because each costs two of the ten alarm metrics."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(var.tables) <= 2
    error_message = "tables holds at most 2 tables, not ${length(var.tables)}: a deployment pays for at most 10 alarm metrics."
  }
}

variable "alarm_topic_arns" {
  description = "SNS topics that hear of alarms, and of their end."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:[^:]+:sns:", arn))])
    error_message = "alarm_topic_arns holds ARNs of SNS topics only."
  }
}

variable "dashboard" {
  description = "Whether to make a dashboard (free for the first three of an account)."
  type        = bool
  default     = false
  nullable    = false
}

variable "proxy_name" {
  description = "Name of the RDS Proxy; null when the deployment has none."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything this module creates."
  type        = map(string)
  default     = {}
  nullable    = false
}
