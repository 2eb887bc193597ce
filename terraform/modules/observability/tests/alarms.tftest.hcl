mock_provider "aws" {}

variables {
  name                   = "memory"
  api_id                 = "api1"
  cluster_identifier     = "memory-database"
  dead_letter_queue_name = "memory-dead-letters"
  functions              = { authorizer = "memory-authorizer", working = "memory-working" }
  archiver_name          = "memory-archiver"
  sweeper_name           = "memory-sweeper"
  search_name            = "memory-semantic"
  tables                 = { memory = "memory-memory", control = "memory-control" }
  proxy_name             = "memory-proxy"
  alarm_topic_arns       = ["arn:aws:sns:eu-west-1:123456789012:on-call"]
}

run "a_deployment_with_everything_pays_for_ten_alarm_metrics_at_most" {
  command = plan

  assert {
    condition     = alltrue([for a in aws_cloudwatch_metric_alarm.main : length(a.metric_query) == 0])
    error_message = "An alarm with metric math is billed for each metric in it, so this test could no longer count alarms."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.main) <= 10
    error_message = "There are ${length(aws_cloudwatch_metric_alarm.main)} alarm metrics."
  }
}

run "what_can_go_wrong_unseen_has_an_alarm" {
  command = plan

  assert {
    condition = toset(keys(aws_cloudwatch_metric_alarm.main)) == toset([
      "api-errors",
      "api-latency",
      "control-writes-throttled",
      "database-at-maximum",
      "dead-letters",
      "episodes-unarchived",
      "memory-reads-throttled",
      "memory-writes-throttled",
      "proxy-pinned",
      "search-recall",
    ])
    error_message = "API, tables, database, proxy, dead letters, the archive and what searches find must be watched."
  }
}

run "no_metric_names_a_tenant_an_agent_or_a_user" {
  command = plan

  assert {
    condition = length(setsubtract(
      flatten([for a in aws_cloudwatch_metric_alarm.main : keys(a.dimensions)]),
      ["ApiId", "DBClusterIdentifier", "ProxyName", "QueueName", "TableName", "function"],
    )) == 0
    error_message = "Dimensions may name parts of the deployment only."
  }
}

run "searches_that_miss_alarm_below_a_recall" {
  command = plan

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.main["search-recall"].comparison_operator == "LessThanThreshold"
      && aws_cloudwatch_metric_alarm.main["search-recall"].threshold == 0.98
      && aws_cloudwatch_metric_alarm.main["search-recall"].dimensions["function"] == "memory-semantic"
    )
    error_message = "A recall is bad when it is low."
  }
}

run "silence_is_no_alarm_and_topics_hear_beginning_and_end" {
  command = plan

  assert {
    condition     = alltrue([for a in aws_cloudwatch_metric_alarm.main : a.treat_missing_data == "notBreaching"])
    error_message = "An idle deployment has no data and must not alarm."
  }

  assert {
    condition = alltrue([
      for a in aws_cloudwatch_metric_alarm.main : a.alarm_actions == var.alarm_topic_arns && a.ok_actions == var.alarm_topic_arns
    ])
    error_message = "Every alarm must tell every topic."
  }
}

run "what_is_told_once_a_day_is_looked_at_for_a_day" {
  command = plan

  assert {
    condition = {
      for name, a in aws_cloudwatch_metric_alarm.main : name => a.period if a.period != 300
    } == { episodes-unarchived = 86400, search-recall = 21600 }
    error_message = "An alarm must last as long as it takes to be told again: a sweep is daily, and checked searches are few."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.main["episodes-unarchived"].namespace == "AgentMemory"
      && aws_cloudwatch_metric_alarm.main["episodes-unarchived"].dimensions == tomap({ function = "memory-sweeper" })
    )
    error_message = "Metrics of functions are by function."
  }
}

run "a_percentile_is_an_extended_statistic" {
  command = plan

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.main["api-latency"].extended_statistic == "p99"
      && aws_cloudwatch_metric_alarm.main["api-latency"].statistic == null
    )
    error_message = "CloudWatch takes percentiles as extended statistic only."
  }
}

run "without_a_proxy_nothing_watches_one" {
  command = plan

  variables {
    proxy_name = null
  }

  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.main), "proxy-pinned")
    error_message = "There is no proxy to watch."
  }
}

run "there_is_no_dashboard_unless_asked_for" {
  command = plan

  assert {
    condition     = length(aws_cloudwatch_dashboard.main) == 0
    error_message = "The dashboard must be an option."
  }
}

run "a_dashboard_shows_every_function_and_table" {
  command = plan

  variables {
    dashboard = true
  }

  assert {
    condition = alltrue([
      for name in concat(values(var.functions), values(var.tables)) : strcontains(aws_cloudwatch_dashboard.main[0].dashboard_body, name)
    ])
    error_message = "Every function and every table must be on the dashboard."
  }
}

run "a_third_table_is_refused" {
  command         = plan
  expect_failures = [var.tables]

  variables {
    tables = { memory = "memory-memory", control = "memory-control", more = "memory-more" }
  }
}

run "an_alarm_topic_that_is_a_queue_is_refused" {
  command         = plan
  expect_failures = [var.alarm_topic_arns]

  variables {
    alarm_topic_arns = ["arn:aws:sqs:eu-west-1:123456789012:queue"]
  }
}

run "a_name_with_a_slash_is_refused" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "memory/alarms"
  }
}
