output "alarm_arns" {
  description = "ARNs of the alarms, by what they watch."
  value = merge(
    { for key, alarm in aws_cloudwatch_metric_alarm.single : key => alarm.arn },
    { for key, alarm in aws_cloudwatch_metric_alarm.table_throttled : "${key}-table-throttled" => alarm.arn },
  )
}
