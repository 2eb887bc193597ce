variable "name" {
  description = "Name of the queue."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9-_]{1,80}$", var.name))
    error_message = "name must be 1 to 80 letters, digits, hyphens or underscores, not \"${var.name}\"."
  }
}

variable "dead_letter_name" {
  description = "Name of the queue of messages that were given up, to which functions may send the events that they gave up."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9-_]{1,80}$", var.dead_letter_name)) && var.dead_letter_name != var.name
    error_message = "dead_letter_name must be 1 to 80 letters, digits, hyphens or underscores, and not the queue's own; got \"${var.dead_letter_name}\"."
  }
}

variable "timeout_s" {
  description = "Seconds after which the function that takes the messages is stopped; a message is delivered again after six times that."
  type        = number
  nullable    = false

  validation {
    condition     = contains(range(1, 901), var.timeout_s)
    error_message = "timeout_s must be a whole number from 1 to 900, the longest that a function runs; got ${var.timeout_s}."
  }
}

variable "max_attempts" {
  description = "Deliveries of a message before it is a dead letter."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = contains(range(2, 21), var.max_attempts)
    error_message = "max_attempts must be a whole number from 2, for the first one may meet a store that is resuming, to 20; got ${var.max_attempts}."
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
