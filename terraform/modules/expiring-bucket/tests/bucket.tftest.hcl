mock_provider "aws" {
  override_during = plan

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::failed" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  name        = "failed"
  expire_days = 30
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1"
}

run "everything_goes_after_its_days" {
  command = plan

  assert {
    condition = (
      aws_s3_bucket_lifecycle_configuration.main.rule[0].status == "Enabled"
      && aws_s3_bucket_lifecycle_configuration.main.rule[0].expiration[0].days == 30
      && aws_s3_bucket_lifecycle_configuration.main.rule[0].abort_incomplete_multipart_upload[0].days_after_initiation == 1
    )
    error_message = "What failed, and parts of what was never finished, must not stay."
  }
}

run "it_is_private" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.main.block_public_acls,
      aws_s3_bucket_public_access_block.main.block_public_policy,
      aws_s3_bucket_public_access_block.main.ignore_public_acls,
      aws_s3_bucket_public_access_block.main.restrict_public_buckets,
      aws_s3_bucket_ownership_controls.main.rule[0].object_ownership == "BucketOwnerEnforced",
    ])
    error_message = "It may hold whole records of every tenant."
  }

  assert {
    condition = [
      for s in data.aws_iam_policy_document.main.statement : [s.effect, tolist(s.condition)[0].variable]
    ] == [["Deny", "aws:SecureTransport"]]
    error_message = "Only TLS may reach it."
  }
}

run "the_key_that_is_given_encrypts" {
  command = plan

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.main.rule).apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arn
    error_message = "The caller's key must be used."
  }
}

run "without_a_key_s3_encrypts" {
  command = plan

  variables {
    kms_key_arn = null
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.main.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "It must be encrypted in any case."
  }
}

run "a_bucket_that_keeps_for_ever_is_refused" {
  command         = plan
  expect_failures = [var.expire_days]

  variables {
    expire_days = 365
  }
}

run "half_a_day_is_refused" {
  command         = plan
  expect_failures = [var.expire_days]

  variables {
    expire_days = 1.5
  }
}

run "a_name_that_s3_does_not_take_is_refused" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "Failed_Records"
  }
}

run "an_alias_is_refused" {
  command         = plan
  expect_failures = [var.kms_key_arn]

  variables {
    kms_key_arn = "alias/memory"
  }
}

run "a_tag_that_aws_keeps_for_itself_is_refused" {
  command         = plan
  expect_failures = [var.tags]

  variables {
    tags = { "aws:mine" = "no" }
  }
}
