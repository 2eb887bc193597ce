output "queue_arn" {
  description = "ARN of the queue."
  value       = aws_sqs_queue.main.arn
}

output "queue_url" {
  description = "URL of the queue."
  value       = aws_sqs_queue.main.url
}

output "dead_letter_arn" {
  description = "ARN of the queue of messages that were given up."
  value       = aws_sqs_queue.dead_letter.arn
}

output "dead_letter_name" {
  description = "Name of the queue of messages that were given up, for an alarm."
  value       = aws_sqs_queue.dead_letter.name
}

output "dead_letter_url" {
  description = "URL of the queue of messages that were given up."
  value       = aws_sqs_queue.dead_letter.url
}
