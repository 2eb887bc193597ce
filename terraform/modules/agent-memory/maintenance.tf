# What is deleted leaves search at once and the disk by this, each day: a cluster that is paused vacuums nothing by itself.
resource "aws_scheduler_schedule" "maintenance" {
  #checkov:skip=CKV_AWS_297:Encrypted with the key; a plan does not know the ARN of a key yet to be made.
  name                = "${var.name}-maintenance"
  group_name          = aws_scheduler_schedule_group.main.name
  description         = "Removes what was deleted from the disk."
  schedule_expression = "cron(17 ${var.database.maintenance_hour_utc} * * ? *)"
  kms_key_arn         = local._kms_key_arn

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 30
  }

  # How often the schedule tries to hand the event over; Lambda, which then has it, runs the function up to three times.
  target {
    arn      = module.function["schema"].function_arn
    role_arn = aws_iam_role.maintenance.arn
    input    = jsonencode({ maintain = true })

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 3
    }

    dead_letter_config {
      arn = aws_sqs_queue.dead_letter.arn
    }
  }

  depends_on = [aws_iam_role_policy.maintenance, aws_lambda_invocation.schema]
}

# Of its own, because a trust policy can name the group of a schedule, but no schedule.
resource "aws_scheduler_schedule_group" "main" {
  name = var.name
  tags = var.tags
}

resource "aws_iam_role" "maintenance" {
  name = "${var.name}-maintenance"
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

resource "aws_iam_role_policy" "maintenance" {
  name = "invoke"
  role = aws_iam_role.maintenance.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "Invoke", Effect = "Allow", Action = "lambda:InvokeFunction", Resource = module.function["schema"].function_arn },
      { Sid = "DeadLetter", Effect = "Allow", Action = "sqs:SendMessage", Resource = aws_sqs_queue.dead_letter.arn },
      { Sid = "Decrypt", Effect = "Allow", Action = "kms:Decrypt", Resource = local._kms_key_arn },
    ]
  })
}
