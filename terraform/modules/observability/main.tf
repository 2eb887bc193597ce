# CloudWatch bills an alarm by the metrics it reads. There is none for the errors of a function or for DynamoDB's own: whatever
# fails behind the API is a 5xx there, and an event that fails without a caller ends in the dead letter queue. No metric has a
# dimension for a tenant, an agent or a user: names of customers do not belong in a monitoring system.
locals {
  _alarms = merge(
    {
      api-errors = {
        description = "Requests answered 5xx."
        namespace   = "AWS/ApiGateway"
        metric      = "5xx"
        dimensions  = { ApiId = var.api_id }
        statistic   = "Sum"
        threshold   = 5
        periods     = 1
      }
      # A database that resumes is answered 503 within seconds, so slow answers are never normal.
      api-latency = {
        description = "The slowest 1% of requests take over 5 s."
        namespace   = "AWS/ApiGateway"
        metric      = "Latency"
        dimensions  = { ApiId = var.api_id }
        statistic   = "p99"
        threshold   = 5000
        periods     = 3
      }
      database-at-maximum = {
        description = "Aurora has been near its maximum capacity for 15 minutes."
        namespace   = "AWS/RDS"
        metric      = "ACUUtilization"
        dimensions  = { DBClusterIdentifier = var.cluster_identifier }
        statistic   = "Average"
        threshold   = 90
        periods     = 3
      }
      dead-letters = {
        description = "An event could not be processed and waits in the dead letter queue."
        namespace   = "AWS/SQS"
        metric      = "ApproximateNumberOfMessagesVisible"
        dimensions  = { QueueName = var.dead_letter_queue_name }
        statistic   = "Maximum"
        threshold   = 1
        periods     = 1
      }
      # Told once a sweep, which is once a day, so it takes a day until an alarm can end.
      episodes-unarchived = {
        description = "The sweep found episodes that nobody was about to archive, or that it could not archive for two days."
        namespace   = "AgentMemory"
        metric      = "UnarchivedEpisodes"
        dimensions  = { function = var.sweeper_name }
        statistic   = "Maximum"
        threshold   = 1
        periods     = 1
        period_s    = 86400
      }
    },
    {
      # Of a share of the searches (search.check_share), which are compared with the exact answer.
      search-recall = {
        description = "Searches by vector have missed over 2% of what is nearest."
        namespace   = "AgentMemory"
        metric      = "SearchRecall"
        dimensions  = { function = var.search_name }
        statistic   = "Average"
        comparison  = "LessThanThreshold"
        threshold   = 0.98
        periods     = 1
        period_s    = 21600
      }
    },
    # Not for reads of the control table: keys and limits are read on the way to every answer, so want of capacity for these is a
    # 5xx of the API.
    {
      for pair in setproduct(keys(var.tables), ["Read", "Write"]) : "${pair[0]}-${lower(pair[1])}s-throttled" => {
        description = "DynamoDB refused ${lower(pair[1])}s of the ${pair[0]} table for want of capacity."
        namespace   = "AWS/DynamoDB"
        metric      = "${pair[1]}ThrottleEvents"
        dimensions  = { TableName = var.tables[pair[0]] }
        statistic   = "Sum"
        threshold   = 10
        periods     = 1
      } if join("-", pair) != "control-Read"
    },
    # No statement of ours should pin; a pinned connection is one that no other function can borrow.
    {
      for name in var.proxy_name[*] : "proxy-pinned" => {
        description = "Database connections of the proxy have been pinned to one client for 15 minutes."
        namespace   = "AWS/RDS"
        metric      = "DatabaseConnectionsCurrentlySessionPinned"
        dimensions  = { ProxyName = name }
        statistic   = "Minimum"
        threshold   = 1
        periods     = 3
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "main" {
  for_each = local._alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic == "p99" ? null : each.value.statistic
  extended_statistic  = each.value.statistic == "p99" ? "p99" : null
  period              = lookup(each.value, "period_s", 300)
  evaluation_periods  = each.value.periods
  comparison_operator = lookup(each.value, "comparison", "GreaterThanOrEqualToThreshold")
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}
