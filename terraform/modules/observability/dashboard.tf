data "aws_region" "current" {}

locals {
  # Title => one line per metric, as CloudWatch writes them: namespace, metric, dimension, value, options.
  _graphs = {
    "Requests" = [
      ["AWS/ApiGateway", "Count", "ApiId", var.api_id, { stat = "Sum" }],
      ["AWS/ApiGateway", "4xx", "ApiId", var.api_id, { stat = "Sum" }],
      ["AWS/ApiGateway", "5xx", "ApiId", var.api_id, { stat = "Sum" }],
    ]
    "Latency (ms)" = [
      for stat in ["p50", "p95", "p99"] : ["AWS/ApiGateway", "Latency", "ApiId", var.api_id, { stat = stat, label = stat }]
    ]
    "Function errors"    = [for name in values(var.functions) : ["AWS/Lambda", "Errors", "FunctionName", name, { stat = "Sum" }]]
    "Function throttles" = [for name in values(var.functions) : ["AWS/Lambda", "Throttles", "FunctionName", name, { stat = "Sum" }]]
    "Table units" = [
      for pair in setproduct(values(var.tables), ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"]) :
      ["AWS/DynamoDB", pair[1], "TableName", pair[0], { stat = "Sum" }]
    ]
    "Age of what the archiver works on (ms)" = [["AWS/Lambda", "IteratorAge", "FunctionName", var.archiver_name, { stat = "Maximum" }]]
    "Database capacity (ACU)" = [
      ["AWS/RDS", "ServerlessDatabaseCapacity", "DBClusterIdentifier", var.cluster_identifier, { stat = "Average" }],
    ]
  }
}

resource "aws_cloudwatch_dashboard" "main" {
  count = var.dashboard ? 1 : 0

  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [
      for title, metrics in local._graphs : {
        type   = "metric"
        width  = 12
        height = 6
        properties = {
          title   = title
          region  = data.aws_region.current.id
          period  = 300
          view    = "timeSeries"
          metrics = metrics
        }
      }
    ]
  })
}
