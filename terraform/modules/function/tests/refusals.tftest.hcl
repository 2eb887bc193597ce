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


run "an_artifact_in_two_places_is_refused" {
  command         = plan
  expect_failures = [var.artifact]

  variables {
    artifact = { path = "a.zip", bucket = "b", key = "k", sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" }
  }
}

run "an_artifact_in_no_place_is_refused" {
  command         = plan
  expect_failures = [var.artifact]

  variables {
    artifact = { sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" }
  }
}

run "a_bucket_without_a_key_is_refused" {
  command         = plan
  expect_failures = [var.artifact]

  variables {
    artifact = { bucket = "b", sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" }
  }
}

run "a_version_of_a_file_is_refused" {
  command         = plan
  expect_failures = [var.artifact]

  variables {
    artifact = { path = "a.zip", version = "v1", sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" }
  }
}

run "a_hash_in_hexadecimal_is_refused" {
  command         = plan
  expect_failures = [var.artifact]

  variables {
    artifact = { path = "a.zip", sha256_base64 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }
  }
}

run "a_dead_letter_target_that_is_no_queue_is_refused" {
  command         = plan
  expect_failures = [var.dead_letter_arn]

  variables {
    dead_letter_arn = "arn:aws:sns:eu-west-1:123456789012:topic"
  }
}

run "a_handler_that_is_a_path_is_refused" {
  command         = plan
  expect_failures = [var.handler]

  variables {
    handler = "agent_memory/working.py"
  }
}

run "a_name_with_a_slash_is_refused" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "memory/working"
  }
}

run "an_unknown_architecture_is_refused" {
  command         = plan
  expect_failures = [var.architecture]

  variables {
    architecture = "riscv"
  }
}

run "a_key_alias_is_refused" {
  command         = plan
  expect_failures = [var.kms_key_arn]

  variables {
    kms_key_arn = "alias/memory"
  }
}

run "a_log_retention_that_aws_does_not_offer_is_refused" {
  command         = plan
  expect_failures = [var.log_retention_days]

  variables {
    log_retention_days = 31
  }
}

run "too_little_memory_is_refused" {
  command         = plan
  expect_failures = [var.memory_mib]

  variables {
    memory_mib = 64
  }
}

run "a_concurrency_of_zero_is_refused" {
  command         = plan
  expect_failures = [var.reserved_concurrency]

  variables {
    reserved_concurrency = 0
  }
}

run "a_timeout_beyond_fifteen_minutes_is_refused" {
  command         = plan
  expect_failures = [var.timeout_s]

  variables {
    timeout_s = 901
  }
}

run "a_vpc_without_a_subnet_is_refused" {
  command         = plan
  expect_failures = [var.vpc]

  variables {
    vpc = { subnet_ids = [], security_group_ids = ["sg-functions"] }
  }
}

run "a_scan_cannot_be_narrowed_to_items" {
  command         = plan
  expect_failures = [var.policy]

  variables {
    policy = {
      Plan = {
        actions      = ["dynamodb:Scan"]
        resources    = ["arn:aws:dynamodb:eu-west-1:123456789012:table/control"]
        leading_keys = ["EMBEDDINGS"]
      }
    }
  }
}
