# What terraform.tfvars leaves out stays null, and the module's own default holds. Types and rules are the module's too.

variable "region" {
  description = "AWS region."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the name of an AWS region such as eu-west-1; got \"${var.region}\"."
  }
}

variable "name" {
  description = "Name of the deployment."
  type        = string
  nullable    = false
}

variable "artifact" {
  description = "What `make build` or a release made: where the zip is, and its hashes."
  type        = any
  nullable    = false
}

variable "alarms" {
  description = "Alarms and dashboard."
  type        = any
  default     = null
}

variable "analytics" {
  description = "A table of Athena over the archive."
  type        = any
  default     = null
}

variable "api" {
  description = "Throttling, CORS and the version of the pepper."
  type        = any
  default     = null
}

variable "archive" {
  description = "The bucket."
  type        = any
  default     = null
}

variable "connection" {
  description = "How functions reach PostgreSQL."
  type        = string
  default     = null
}

variable "context" {
  description = "By when a context is answered."
  type        = any
  default     = null
}

variable "database" {
  description = "The Aurora cluster."
  type        = any
  default     = null
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete tables and cluster."
  type        = bool
  default     = null
}

variable "embedding" {
  description = "How texts become vectors."
  type        = any
  default     = null
}

variable "encryption" {
  description = "Your own KMS key."
  type        = any
  default     = null
}

variable "episodes" {
  description = "How episodes move from the memory table to the archive."
  type        = any
  default     = null
}

variable "functions" {
  description = "Size of the functions."
  type        = any
  default     = null
}

variable "jobs" {
  description = "Work that requests leave behind."
  type        = any
  default     = null
}

variable "limits" {
  description = "What each tenant may use."
  type        = any
  default     = null
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = null
}

variable "network" {
  description = "The VPC: created, or your own."
  type        = any
  default     = null
}

variable "search" {
  description = "How texts are found by their words."
  type        = any
  default     = null
}

variable "summarizer" {
  description = "A Bedrock model that summarises transcripts; null for none."
  type        = any
  default     = null
}

variable "tables" {
  description = "The two DynamoDB tables."
  type        = any
  default     = null
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "tenant_sessions" {
  description = "Whether IAM keeps tenants apart too."
  type        = bool
  default     = null
}

variable "vector_index" {
  description = "How vectors are searched."
  type        = string
  default     = null
}
