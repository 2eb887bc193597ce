output "alarm_arns" {
  description = "ARNs of the alarms, by what they watch."
  value       = { for key, alarm in aws_cloudwatch_metric_alarm.main : key => alarm.arn }
}
