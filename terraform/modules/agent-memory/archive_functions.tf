# What moves episodes from the hot tier to the archive, for every tenant at once: the archiver follows the stream, the sweeper
# looks after what that left.
locals {
  _archive_environment = merge(local._tables, local._hot_window, {
    ARCHIVE_BUCKET   = module.archive.bucket_name
    ARCHIVE_WITHIN_S = tostring(var.episodes.archive_within_days * 24 * 3600)
  })

  # Whoever writes an episode says whether it will be gone before it could be archived.
  _hot_window = { HOT_S = tostring(var.episodes.hot_days * 24 * 3600) }

  _move_episodes = {
    DataKeys = local._data_keys
    Episodes = {
      actions = [
        "dynamodb:BatchGetItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
      ]
      resources = [local._memory]
    }
    Usage           = local._usage
    ArchiveVersions = { actions = ["s3:ListBucketVersions"], resources = [module.archive.bucket_arn] }
    Archive = {
      actions   = ["s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"]
      resources = ["${module.archive.bucket_arn}/*"]
    }
  }

  # Lambda uses these in the function's name.
  _follow_stream = {
    Stream = {
      actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
      resources = [module.table["memory"].stream_arn]
    }
    Streams = {
      actions   = ["dynamodb:ListStreams"]
      resources = ["*"]
      reason    = "IAM knows no resource for it; it tells names of streams only."
    }
    FailedRecords       = { actions = ["s3:PutObject"], resources = ["${module.failed_records.bucket_arn}/*"] }
    FailedRecordsBucket = { actions = ["s3:ListBucket"], resources = [module.failed_records.bucket_arn] }
  }

  _archive_functions = {
    archiver = {
      timeout_s     = 300
      environment   = local._archive_environment
      policy        = merge(local._move_episodes, local._follow_stream)
      tenant_policy = null # a delivery of the stream is of many tenants
    }

    sweeper = {
      timeout_s   = 840
      environment = merge(local._archive_environment, { LIMITS = local._limits }) # how long tenants keep records
      policy = merge(local._move_episodes, {
        All            = { actions = ["dynamodb:Scan"], resources = [local._memory] }       # nothing else finds what was forgotten
        Merged         = { actions = ["dynamodb:DeleteItem"], resources = [local._memory] } # rows that another takes the place of
        PlaceAndLimits = { actions = ["dynamodb:GetItem", "dynamodb:PutItem"], resources = [local._control] }
        ArchiveListing = { actions = ["s3:ListBucket"], resources = [module.archive.bucket_arn] }
      })
      tenant_policy = null # it goes over the whole table and the whole bucket
    }
  }
}
