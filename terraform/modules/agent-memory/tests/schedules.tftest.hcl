mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  name = "memory"
  artifact = {
    path          = "tests/artifact.zip" # never opened
    sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    sql_sha256    = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  }
}


run "the_schema_function_maintains_the_database_every_day" {
  command = plan

  variables {
    database = { maintenance_hour_utc = 21 }
  }

  assert {
    condition     = aws_scheduler_schedule.main["maintenance"].schedule_expression == "cron(17 21 * * ? *)"
    error_message = "It must run each day, in the hour asked for."
  }

  assert {
    condition = (
      aws_scheduler_schedule.main["maintenance"].target[0].arn == module.function["schema"].function_arn
      && jsondecode(aws_scheduler_schedule.main["maintenance"].target[0].input) == { maintain = true }
    )
    error_message = "It must ask the schema function for maintenance."
  }
}

run "the_sweeper_goes_on_every_hour" {
  command = plan

  assert {
    condition = (
      aws_scheduler_schedule.main["sweep"].schedule_expression == "cron(41 * * * ? *)"
      && aws_scheduler_schedule.main["sweep"].target[0].arn == module.function["sweeper"].function_arn
    )
    error_message = "A sweep must be done within a day, in pieces."
  }

  assert {
    condition     = local._archive_functions.sweeper.timeout_s + 60 * aws_scheduler_schedule.main["sweep"].flexible_time_window[0].maximum_window_in_minutes < 3600
    error_message = "A sweep must be over before the next one begins."
  }
}

run "maintenance_that_cannot_be_started_is_noticed" {
  command = plan

  assert {
    condition = (
      aws_scheduler_schedule.main["maintenance"].target[0].retry_policy[0].maximum_retry_attempts == 3
      && aws_scheduler_schedule.main["maintenance"].target[0].retry_policy[0].maximum_event_age_in_seconds == 3600
      && aws_scheduler_schedule.main["maintenance"].target[0].dead_letter_config[0].arn == module.jobs.dead_letter_arn
    )
    error_message = "Attempts must come to an end, and then ring the alarm of the dead letters."
  }
}

run "the_schedule_is_encrypted_like_everything_else" {
  command = plan

  assert {
    condition     = aws_scheduler_schedule.main["maintenance"].kms_key_arn == "arn:aws:kms:eu-west-1:123456789012:key/created"
    error_message = "The deployment's key must be used."
  }
}

run "the_role_may_start_maintenance_and_nothing_else" {
  command = plan

  assert {
    condition = {
      for s in jsondecode(aws_iam_role_policy.schedule["maintenance"].policy).Statement : s.Action => s.Resource
      } == {
      "kms:Decrypt"           = "arn:aws:kms:eu-west-1:123456789012:key/created"
      "lambda:InvokeFunction" = module.function["schema"].function_arn
      "sqs:SendMessage"       = module.jobs.dead_letter_arn
    }
    error_message = "One function, one queue, one key."
  }
}

run "the_role_of_the_sweep_may_start_the_sweeper_only" {
  command = plan

  override_module {
    target = module.function["sweeper"]
    outputs = {
      function_arn    = "arn:aws:lambda:eu-west-1:123456789012:function:memory-sweeper"
      function_name   = "memory-sweeper"
      invoke_arn      = "none"
      tenant_role_arn = null
    }
  }

  assert {
    condition = [
      for s in jsondecode(aws_iam_role_policy.schedule["sweep"].policy).Statement : s.Resource if s.Sid == "Invoke"
    ] == ["arn:aws:lambda:eu-west-1:123456789012:function:memory-sweeper"]
    error_message = "Each schedule has a role for its own function."
  }
}

run "only_schedules_of_this_deployment_may_use_the_role" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.schedule["maintenance"].assume_role_policy).Statement[0].Condition == {
      ArnEquals    = { "aws:SourceArn" = "arn:aws:scheduler:eu-west-1:123456789012:schedule-group/memory" }
      StringEquals = { "aws:SourceAccount" = "123456789012" }
    }
    error_message = "Another account's schedule must not borrow the role."
  }

  assert {
    condition     = aws_scheduler_schedule.main["maintenance"].group_name == aws_scheduler_schedule_group.main.name
    error_message = "The schedule must be in the group that the trust names."
  }
}
