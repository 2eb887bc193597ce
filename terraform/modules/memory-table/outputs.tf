output "table_name" {
  description = "Name of the table, created or adopted."
  value       = local.table.name
  depends_on  = [aws_appautoscaling_policy.main]
}

output "table_arn" {
  description = "ARN of the table."
  value       = local.table.arn
  depends_on  = [aws_appautoscaling_policy.main]
}

output "stream_arn" {
  description = "ARN of the change stream; null when there is none."
  value       = local.table.stream_enabled ? local.table.stream_arn : null
}

output "index_arns" {
  description = "ARNs of the global secondary indexes, by name."
  value       = { for name in keys(var.global_indexes) : name => "${local.table.arn}/index/${name}" }
  depends_on  = [aws_appautoscaling_policy.main]
}
