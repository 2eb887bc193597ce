mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults        = { id = "memory-episodes", arn = "arn:aws:s3:::memory-episodes" }
    override_during = plan
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  name = "memory-episodes"
}

run "the_bucket_is_private_versioned_and_kept" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.main.block_public_acls,
      aws_s3_bucket_public_access_block.main.block_public_policy,
      aws_s3_bucket_public_access_block.main.ignore_public_acls,
      aws_s3_bucket_public_access_block.main.restrict_public_buckets,
    ])
    error_message = "All four blocks of public access must be on."
  }

  assert {
    condition     = aws_s3_bucket_versioning.main.versioning_configuration[0].status == "Enabled"
    error_message = "Versions must be kept."
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.main.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "Access lists of objects must be off."
  }

  assert {
    condition     = !aws_s3_bucket.main.force_destroy && length(aws_s3_bucket_logging.main) == 0
    error_message = "A bucket with objects must not be destroyed by default, nor write access logs."
  }

  assert {
    condition     = output.bucket_name == "memory-episodes" && output.bucket_arn == "arn:aws:s3:::memory-episodes"
    error_message = "The outputs must name the bucket."
  }
}

run "what_does_not_come_over_tls_is_denied" {
  command = plan

  assert {
    condition     = length(data.aws_iam_policy_document.main.statement) == 1 && data.aws_iam_policy_document.main.statement[0].effect == "Deny"
    error_message = "Without a key the policy must hold the TLS rule and nothing else."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.main.statement[0].condition).variable == "aws:SecureTransport" && tolist(one(data.aws_iam_policy_document.main.statement[0].condition).values) == tolist(["false"])
    error_message = "The rule must be about requests without TLS."
  }

  assert {
    condition     = data.aws_iam_policy_document.main.statement[0].resources == toset(["arn:aws:s3:::memory-episodes", "arn:aws:s3:::memory-episodes/*"])
    error_message = "The rule must hold for the bucket and its objects."
  }
}

run "objects_move_only_to_classes_readable_at_once_and_from_128_kb" {
  command = plan

  assert {
    condition     = { for move in aws_s3_bucket_lifecycle_configuration.main.rule[0].transition : move.storage_class => move.days } == { STANDARD_IA = 30, GLACIER_IR = 90 }
    error_message = "The default moves must be STANDARD_IA after 30 and GLACIER_IR after 90 days."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.main.transition_default_minimum_object_size == "all_storage_classes_128K"
    error_message = "Small objects must stay where they are."
  }
}

run "old_versions_markers_and_broken_uploads_go" {
  command = plan

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.main.rule[0].noncurrent_version_expiration[0].noncurrent_days == 7
    error_message = "A replaced version must go after 7 days by default."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.main.rule[0].expiration[0].expired_object_delete_marker
    error_message = "A marker without versions must go."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.main.rule[0].abort_incomplete_multipart_upload[0].days_after_initiation == 1
    error_message = "An unfinished upload must go after a day."
  }
}

run "what_was_uploaded_and_never_taken_goes_after_a_day_in_all_versions" {
  command = plan

  assert {
    condition = [
      for rule in aws_s3_bucket_lifecycle_configuration.main.rule : {
        prefix     = rule.filter[0].prefix
        days       = rule.expiration[0].days
        noncurrent = rule.noncurrent_version_expiration[0].noncurrent_days
        aborted    = rule.abort_incomplete_multipart_upload[0].days_after_initiation
      } if rule.id == "uploads"
    ] == [{ prefix = "!uploads/", days = 1, noncurrent = 1, aborted = 1 }]
    error_message = "Uploads that no record took must go after a day."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.main.rule[*].id == tolist(["age", "uploads"])
    error_message = "No other rule may remove by age: what a record points to lies outside of that place."
  }
}

run "without_transitions_objects_stay_in_standard" {
  command = plan

  variables {
    transitions     = {}
    noncurrent_days = 1
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.main.rule[0].transition) == 0
    error_message = "No transition was asked for."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.main.rule[0].noncurrent_version_expiration[0].noncurrent_days == 1
    error_message = "noncurrent_days must reach the rule."
  }
}

run "a_key_of_ours_encrypts_and_no_other_may_be_named" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/one"
  }

  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_server_side_encryption_configuration.main.rule :
      rule.bucket_key_enabled && rule.apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms" && rule.apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arn
    ])
    error_message = "The key must be the bucket's default, with a bucket key."
  }

  assert {
    condition = {
      for statement in data.aws_iam_policy_document.main.statement : statement.sid => { for c in statement.condition : c.test => one(c.values) }
      } == {
      OnlyOverTls  = { Bool = "false" }
      OnlyByKms    = { StringNotEquals = "aws:kms", Null = "false" }
      OnlyByOurKey = { StringNotEquals = "arn:aws:kms:eu-west-1:123456789012:key/one", Null = "false" }
    }
    error_message = "A write that names another encryption or key must be denied, and one that names none must not."
  }
}

run "without_a_key_s3_encrypts" {
  command = plan

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.main.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "Without a key the default must be AES256."
  }
}

run "access_is_logged_where_asked" {
  command = plan

  variables {
    access_log = { bucket = "logs", prefix = "memory/" }
  }

  assert {
    condition     = aws_s3_bucket_logging.main[0].target_bucket == "logs" && aws_s3_bucket_logging.main[0].target_prefix == "memory/"
    error_message = "Access logs must go to the given bucket and prefix."
  }
}
