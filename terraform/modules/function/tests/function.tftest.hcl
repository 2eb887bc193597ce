mock_provider "aws" {
  override_during = plan # so that a plan shows the policy as a whole

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/memory-working" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/memory-working" }
  }
}

variables {
  name            = "memory-working"
  handler         = "agent_memory.entrypoints.working.handler"
  dead_letter_arn = "arn:aws:sqs:eu-west-1:123456789012:memory-dead-letters"
  policy          = {}
  artifact = {
    path          = "tests/artifact.zip" # never opened
    sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
  }
}


run "a_function_is_traced_logs_json_and_keeps_failed_events" {
  command = plan

  assert {
    condition     = aws_lambda_function.main.tracing_config[0].mode == "Active"
    error_message = "X-Ray must be active."
  }

  assert {
    condition     = aws_lambda_function.main.logging_config[0].log_format == "JSON"
    error_message = "Logs must be JSON."
  }

  assert {
    condition     = aws_lambda_function.main.logging_config[0].log_group == "/aws/lambda/memory-working"
    error_message = "The function must log into the group made here, with its retention."
  }

  assert {
    condition     = aws_lambda_function.main.dead_letter_config[0].target_arn == var.dead_letter_arn
    error_message = "Failed events must go to the dead letter queue."
  }
}

run "a_function_is_arm64_outside_any_vpc_and_reserves_nothing" {
  command = plan

  assert {
    condition     = aws_lambda_function.main.architectures == tolist(["arm64"]) && aws_lambda_function.main.runtime == "python3.12"
    error_message = "The default must be Python 3.12 on arm64."
  }

  assert {
    condition     = length(aws_lambda_function.main.vpc_config) == 0
    error_message = "vpc = null must keep the function out of any VPC."
  }

  assert {
    condition     = aws_lambda_function.main.reserved_concurrent_executions == null
    error_message = "Nothing may be reserved by default: small accounts have nothing to reserve."
  }
}

run "a_function_in_a_vpc_has_its_subnets_and_groups" {
  command = plan

  variables {
    vpc = { subnet_ids = ["subnet-a", "subnet-b"], security_group_ids = ["sg-functions"] }
  }

  assert {
    condition     = aws_lambda_function.main.vpc_config[0].subnet_ids == toset(["subnet-a", "subnet-b"])
    error_message = "The function must be in the subnets given."
  }

  assert {
    condition     = aws_lambda_function.main.vpc_config[0].security_group_ids == toset(["sg-functions"])
    error_message = "The function must have the security groups given."
  }
}

run "a_key_encrypts_environment_and_logs" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1"
  }

  assert {
    condition     = aws_lambda_function.main.kms_key_arn == var.kms_key_arn && aws_cloudwatch_log_group.main.kms_key_id == var.kms_key_arn
    error_message = "The key must encrypt both the environment and the log group."
  }
}

run "an_artifact_in_a_bucket_is_pinned_to_its_version" {
  command = plan

  variables {
    artifact = {
      bucket        = "artifacts"
      key           = "agent-memory/0.1.0.zip"
      version       = "v1"
      sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    }
  }

  assert {
    condition = (
      aws_lambda_function.main.s3_bucket == "artifacts"
      && aws_lambda_function.main.s3_key == "agent-memory/0.1.0.zip"
      && aws_lambda_function.main.s3_object_version == "v1"
      && aws_lambda_function.main.filename == null
    )
    error_message = "The code must come from the bucket, in that version."
  }

  assert {
    condition     = aws_lambda_function.main.source_code_hash == var.artifact.sha256_base64
    error_message = "The hash given must decide whether the code changed."
  }
}
