# What runs by the clock. How often a schedule tries to hand an event over is said here; Lambda, which then has it, runs the
# function up to three times.
locals {
  _schedules = {
    # What is deleted leaves search at once and the disk by this: a cluster that is paused vacuums nothing by itself.
    maintenance = {
      description = "Removes what was deleted from the disk."
      expression  = "cron(17 ${var.database.maintenance_hour_utc} * * ? *)"
      window_min  = 30
      function    = "schema"
      event       = { maintain = true }
    }
    # A whole sweep is one a day; each hour goes on where the one before had to stop.
    sweep = {
      description = "Archives what was forgotten, compacts the archive and removes what has expired there."
      expression  = "cron(41 * * * ? *)"
      window_min  = 10
      function    = "sweeper"
      event       = {}
    }
  }
}

resource "aws_scheduler_schedule" "main" {
  #checkov:skip=CKV_AWS_297:Encrypted with the key; a plan does not know the ARN of a key yet to be made.
  for_each = local._schedules

  name                = "${var.name}-${each.key}"
  group_name          = aws_scheduler_schedule_group.main.name
  description         = each.value.description
  schedule_expression = each.value.expression
  kms_key_arn         = local._kms_key_arn

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = each.value.window_min
  }

  target {
    arn      = module.function[each.value.function].function_arn
    role_arn = aws_iam_role.schedule[each.key].arn
    input    = jsonencode(each.value.event)

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 3
    }

    dead_letter_config {
      arn = module.jobs.dead_letter_arn
    }
  }

  depends_on = [aws_iam_role_policy.schedule, aws_lambda_invocation.schema]
}

# Of its own, because a trust policy can name the group of a schedule, but no schedule.
resource "aws_scheduler_schedule_group" "main" {
  name = var.name
  tags = var.tags
}

resource "aws_iam_role" "schedule" {
  for_each = local._schedules

  name = "${var.name}-${each.key}"
  tags = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "scheduler.amazonaws.com" }
      Condition = { # no schedule of another account or group may borrow the role
        StringEquals = { "aws:SourceAccount" = local._account }
        ArnEquals    = { "aws:SourceArn" = aws_scheduler_schedule_group.main.arn }
      }
    }]
  })
}

resource "aws_iam_role_policy" "schedule" {
  for_each = local._schedules

  name = "invoke"
  role = aws_iam_role.schedule[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "Invoke", Effect = "Allow", Action = "lambda:InvokeFunction", Resource = module.function[each.value.function].function_arn },
      { Sid = "DeadLetter", Effect = "Allow", Action = "sqs:SendMessage", Resource = module.jobs.dead_letter_arn },
      { Sid = "Decrypt", Effect = "Allow", Action = "kms:Decrypt", Resource = local._kms_key_arn },
    ]
  })
}

moved {
  from = aws_scheduler_schedule.maintenance
  to   = aws_scheduler_schedule.main["maintenance"]
}

moved {
  from = aws_iam_role.maintenance
  to   = aws_iam_role.schedule["maintenance"]
}

moved {
  from = aws_iam_role_policy.maintenance
  to   = aws_iam_role_policy.schedule["maintenance"]
}
