# The memory table's stream, to the archiver. What it cannot process for good lies with its full records in a bucket of its own;
# the sweeper archives those episodes all the same, unless somebody sends them again first.
resource "aws_lambda_event_source_mapping" "archiver" {
  event_source_arn                   = module.table["memory"].stream_arn
  function_name                      = module.function["archiver"].function_name
  starting_position                  = "TRIM_HORIZON"
  batch_size                         = 1000
  maximum_batching_window_in_seconds = var.episodes.batch_window_s
  parallelization_factor             = var.episodes.parallel
  function_response_types            = ["ReportBatchItemFailures"]
  bisect_batch_on_function_error     = true
  maximum_retry_attempts             = 20 # about as many minutes: a record that cannot be processed holds up its shard
  maximum_record_age_in_seconds      = 12 * 3600
  tags                               = var.tags

  filter_criteria {
    dynamic "filter" {
      for_each = local._archived_changes
      content {
        pattern = jsonencode(filter.value)
      }
    }
  }

  destination_config {
    on_failure {
      destination_arn = module.failed_records.bucket_arn
    }
  }

  depends_on = [module.function] # Lambda looks whether the role may read the stream
}

locals {
  # By name, for whoever reads this: what changes in the table that the archiver has to do with.
  _archived_changes = {
    # Whoever writes one that goes before it could be archived says so, but those are few, and the function looks.
    new_episode = {
      eventName = ["INSERT"]
      dynamodb  = { NewImage = { sk = { S = [{ prefix = "EPISODE#" }] } } }
    }
    changed_episode = {
      eventName = ["MODIFY"]
      dynamodb  = { NewImage = { sk = { S = [{ prefix = "EPISODE#" }] }, evict_at = { N = [{ exists = false }] } } }
    }
    owner_of_body = {
      eventName = ["MODIFY", "REMOVE"]
      dynamodb  = { OldImage = { body_key = { S = [{ exists = true }] } } }
    }
    expired = { # removed by DynamoDB itself, so nobody has counted it yet
      eventName    = ["REMOVE"]
      userIdentity = { type = ["Service"], principalId = ["dynamodb.amazonaws.com"] }
      dynamodb     = { OldImage = { job_id = { S = [{ exists = false }] } } } # notes of the outbox count for nothing
    }
  }
}

# Not in the archive: Lambda's names for these, aws/lambda/..., would look like a tenant's.
module "failed_records" {
  source = "../expiring-bucket"

  name          = "${var.name}-failed-records-${local._account}-${local._region}"
  expire_days   = 30
  force_destroy = var.archive.force_destroy
  kms_key_arn   = local._kms_key_arn
  tags          = var.tags
}
