# A queue of messages that hold ids only, and what becomes of a message that nobody could process.
resource "aws_sqs_queue" "main" {
  name                       = var.name
  visibility_timeout_seconds = 6 * var.timeout_s # as AWS advises: a batch that Lambda had to hold back is not delivered twice
  message_retention_seconds  = 4 * 24 * 3600     # far longer than all deliveries take
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true
  tags                       = var.tags

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter.arn
    maxReceiveCount     = var.max_attempts
  })
}

# Its retention counts from when a message was first sent, so it has to be longer than the queue's.
resource "aws_sqs_queue" "dead_letter" {
  name                      = var.dead_letter_name
  message_retention_seconds = 14 * 24 * 3600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags

  # Built from names: a resource of its own would wait for the queue, which waits for this one.
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local._queue_arn]
  })
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  _queue_arn = "arn:${data.aws_partition.current.partition}:sqs:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:${var.name}"
}
