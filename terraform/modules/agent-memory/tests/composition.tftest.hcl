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


run "the_two_tables_have_the_indexes_that_the_code_queries" {
  command = plan

  assert {
    condition     = output.tables.memory.name == "memory-memory" && output.tables.control.name == "memory-control"
    error_message = "Tables must be named after the deployment."
  }

  assert {
    condition     = output.tables.memory.stream_arn != null && output.tables.control.stream_arn == null
    error_message = "Only the memory table has a stream."
  }

  assert {
    condition     = toset(keys(module.table["memory"].index_arns)) == toset(["by_session", "by_user", "by_run"])
    error_message = "Episodes are found by session, user and run."
  }

  assert {
    condition     = toset(keys(module.table["control"].index_arns)) == toset(["by_tenant"])
    error_message = "Keys are listed by tenant."
  }
}

run "every_route_reaches_a_function" {
  command = plan

  assert {
    condition     = length(setsubtract(local._routes[*].function, keys(output.function_names))) == 0
    error_message = "routes.json names a function that does not exist."
  }
}

run "every_function_but_those_that_no_caller_reaches_has_a_route" {
  command = plan

  assert {
    condition     = setsubtract(keys(output.function_names), local._routes[*].function) == toset(["archiver", "authorizer", "ingest", "relay", "schema", "sweeper"])
    error_message = "A function that nothing calls is dead code."
  }

  assert {
    condition     = local._function_names == tolist(keys(output.function_names))
    error_message = "What may be set by function must be what there is."
  }
}

run "only_erasing_needs_the_scope_erase" {
  command = plan

  assert {
    condition     = [for r in local._routes : r.route if r.function == "privacy" || r.scope == "erase"] == ["DELETE /v1/memory/{agent_id}"]
    error_message = "A key that may write must not be able to remove an agent."
  }
}

run "a_key_is_made_that_the_logs_may_use" {
  command = plan

  assert {
    condition     = aws_kms_key.main[0].enable_key_rotation && output.kms_key_arn == "arn:aws:kms:eu-west-1:123456789012:key/created"
    error_message = "Without a key of the caller's one must be made, rotating."
  }

  assert {
    condition = one([
      for s in jsondecode(aws_kms_key.main[0].policy).Statement : s.Condition.ArnLike["kms:EncryptionContext:aws:logs:arn"] if s.Sid == "LogGroups"
    ]) == "arn:aws:logs:eu-west-1:123456789012:log-group:*"
    error_message = "CloudWatch Logs may use the key for this account's log groups only."
  }
}

run "your_own_key_is_used_instead" {
  command = plan

  variables {
    encryption = { kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/yours" }
  }

  assert {
    condition     = length(aws_kms_key.main) == 0 && aws_ssm_parameter.pepper.key_id == "arn:aws:kms:eu-west-1:123456789012:key/yours"
    error_message = "No key may be made, and yours must encrypt."
  }
}

run "the_pepper_is_encrypted_and_written_only" {
  command = plan

  assert {
    condition     = aws_ssm_parameter.pepper.type == "SecureString" && aws_ssm_parameter.pepper.value_wo == null
    error_message = "The pepper must be in no state."
  }
}

run "another_key_makes_a_new_pepper_too" {
  command = plan

  variables {
    encryption = { kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/yours" }
  }

  assert {
    condition     = aws_ssm_parameter.pepper.value_wo_version > 1000
    error_message = "The provider empties the parameter when its key changes and its version does not."
  }
}

run "a_raised_pepper_version_makes_a_new_pepper" {
  command = plan

  variables {
    api = { pepper_version = 2 }
  }

  assert {
    condition     = aws_ssm_parameter.pepper.value_wo_version == 2
    error_message = "The version must decide when a new value is written."
  }
}

run "functions_and_jobs_share_their_dead_letters" {
  command = plan

  assert {
    condition     = module.jobs.dead_letter_name == "memory-dead-letters"
    error_message = "One alarm watches both."
  }
}

run "there_are_no_alarms_unless_asked_for" {
  command = plan

  assert {
    condition     = length(module.observability) == 0
    error_message = "Alarms cost money and must be asked for."
  }
}

run "alarms_watch_the_whole_deployment" {
  command = plan

  variables {
    alarms          = { topic_arns = ["arn:aws:sns:eu-west-1:123456789012:on-call"], dashboard = true }
    connection      = "proxy"
    tenant_sessions = true
    database        = { min_acu = 0.5 }
  }

  assert {
    condition     = length(output.alarm_arns) == 10
    error_message = "API, both tables, database, proxy, dead letters and archive must be watched, within ten metrics."
  }
}

run "nobody_can_query_the_archive_unless_asked_for" {
  command = plan

  assert {
    condition     = length(module.analytics) == 0 && output.analytics == null
    error_message = "A way to every tenant's episodes must be asked for."
  }
}

run "the_archive_can_be_queried" {
  command = plan

  variables {
    analytics = { scan_limit_mib = 512 }
  }

  assert {
    condition = (
      output.analytics.database_name == "memory"
      && output.analytics.table_name == "episodes"
      && output.analytics.workgroup_name == "memory-analytics"
    )
    error_message = "Whoever queries must be told where."
  }
}

run "the_command_finds_tables_buckets_pepper_and_functions" {
  command = plan

  override_module {
    target  = module.archive
    outputs = { bucket_name = "memory-archive", bucket_arn = "arn:aws:s3:::memory-archive" }
  }

  override_module {
    target  = module.failed_records
    outputs = { bucket_name = "memory-failed", bucket_arn = "arn:aws:s3:::memory-failed" }
  }

  assert {
    condition = output.admin_environment == merge(local._embedding, {
      DATABASE_APP_SECRET_ARN = module.database.app_secret_arn
      DATABASE_CLUSTER_ARN    = module.database.cluster_arn
      DATABASE_CONNECTION     = "data_api"
      DATABASE_NAME           = module.database.database_name
      AWS_REGION              = "eu-west-1"
      ARCHIVE_BUCKET          = "memory-archive"
      ARCHIVER_FUNCTION       = "memory-archiver"
      CONTROL_TABLE           = "memory-control"
      DEAD_JOBS_URL           = module.jobs.dead_letter_url
      FAILED_RECORDS_BUCKET   = "memory-failed"
      INGEST_FUNCTION         = "memory-ingest"
      JOB_QUEUE_URL           = module.jobs.queue_url
      MEMORY_TABLE            = "memory-memory"
      PEPPER_PARAMETER        = "/memory/api-key-pepper"
      SWEEPER_FUNCTION        = "memory-sweeper"
    })
    error_message = "The command must work with this output as its environment."
  }
}

run "a_restored_table_can_be_adopted" {
  command = plan

  override_data {
    target = module.table["memory"].data.aws_dynamodb_table.existing
    values = {
      name           = "memory-restored"
      arn            = "arn:aws:dynamodb:eu-west-1:123456789012:table/memory-restored"
      hash_key       = "pk"
      range_key      = "sk"
      stream_enabled = true
      stream_arn     = "arn:aws:dynamodb:eu-west-1:123456789012:table/memory-restored/stream/1"

      stream_view_type       = "NEW_AND_OLD_IMAGES"
      point_in_time_recovery = [{ enabled = true, recovery_period_in_days = 35 }]
      ttl                    = [{ enabled = true, attribute_name = "evict_at" }]
      global_secondary_index = [
        for name in ["by_session", "by_user", "by_run"] : {
          name                 = name
          hash_key             = name
          range_key            = "time_key"
          non_key_attributes   = []
          on_demand_throughput = []
          projection_type      = "KEYS_ONLY"
          read_capacity        = 0
          write_capacity       = 0
        }
      ]
    }
  }

  variables {
    tables = { memory = { existing_name = "memory-restored" }, control = {} }
  }

  assert {
    condition     = output.tables.memory.name == "memory-restored" && output.tables.control.name == "memory-control"
    error_message = "Functions must use the restored table."
  }

  assert {
    condition     = local._tables.MEMORY_TABLE == "memory-restored"
    error_message = "Functions must use the restored table."
  }
}
