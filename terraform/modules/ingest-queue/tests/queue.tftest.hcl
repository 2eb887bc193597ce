mock_provider "aws" {
  override_during = plan

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { id = "eu-west-1" }
  }

  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-west-1:123456789012:mocked" }
  }
}

variables {
  name             = "memory-jobs"
  dead_letter_name = "memory-dead-letters"
  timeout_s        = 60
}

run "what_cannot_be_processed_is_a_dead_letter_after_some_deliveries" {
  command = plan

  variables {
    max_attempts = 3
  }

  assert {
    condition = jsondecode(aws_sqs_queue.main.redrive_policy) == {
      deadLetterTargetArn = aws_sqs_queue.dead_letter.arn
      maxReceiveCount     = 3
    }
    error_message = "A message must not come for ever."
  }

  assert {
    condition     = aws_sqs_queue.dead_letter.message_retention_seconds > aws_sqs_queue.main.message_retention_seconds
    error_message = "A dead letter is as old as its message was: it must not be gone as soon as it is one."
  }
}

run "only_its_own_queue_gives_messages_up_to_it" {
  command = plan

  assert {
    condition = jsondecode(aws_sqs_queue.dead_letter.redrive_allow_policy) == {
      redrivePermission = "byQueue"
      sourceQueueArns   = ["arn:aws:sqs:eu-west-1:123456789012:memory-jobs"]
    }
    error_message = "Another queue's messages would be taken for jobs."
  }
}

run "a_message_is_not_delivered_again_while_its_function_may_run" {
  command = plan

  assert {
    condition     = aws_sqs_queue.main.visibility_timeout_seconds == 360
    error_message = "AWS advises six times the function's timeout."
  }
}

run "both_are_encrypted" {
  command = plan

  assert {
    condition     = aws_sqs_queue.main.sqs_managed_sse_enabled && aws_sqs_queue.dead_letter.sqs_managed_sse_enabled
    error_message = "Ids name tenants."
  }
}

run "a_queue_that_is_its_own_dead_letter_is_refused" {
  command         = plan
  expect_failures = [var.dead_letter_name]

  variables {
    dead_letter_name = "memory-jobs"
  }
}

run "a_name_that_sqs_does_not_take_is_refused" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "memory jobs"
  }
}

run "a_function_that_outlives_lambda_is_refused" {
  command         = plan
  expect_failures = [var.timeout_s]

  variables {
    timeout_s = 901
  }
}

run "a_single_attempt_is_refused" {
  command         = plan
  expect_failures = [var.max_attempts]

  variables {
    max_attempts = 1
  }
}

run "a_tag_that_aws_keeps_for_itself_is_refused" {
  command         = plan
  expect_failures = [var.tags]

  variables {
    tags = { "aws:mine" = "no" }
  }
}
