mock_provider "aws" {
  mock_data "aws_dynamodb_table" {
    defaults = {
      arn              = "arn:aws:dynamodb:eu-west-1:123456789012:table/memory-restored"
      hash_key         = "pk"
      range_key        = "sk"
      stream_enabled   = true
      stream_view_type = "NEW_AND_OLD_IMAGES"
      stream_arn       = "arn:aws:dynamodb:eu-west-1:123456789012:table/memory-restored/stream/1"
      ttl              = [{ attribute_name = "evict_at", enabled = true }]

      point_in_time_recovery = [{ enabled = true, recovery_period_in_days = 35 }]
      global_secondary_index = [{
        name                 = "by_session"
        hash_key             = "session_key"
        range_key            = ""
        projection_type      = "KEYS_ONLY"
        non_key_attributes   = []
        on_demand_throughput = []
        read_capacity        = 0
        write_capacity       = 0
      }]
    }
  }
}

variables {
  name                = "memory"
  existing_table_name = "memory-restored"
  stream              = "NEW_AND_OLD_IMAGES"
  global_indexes      = { by_session = { hash_key = "session_key" } }
}

run "an_adopted_table_is_handed_out_and_nothing_is_created" {
  command = plan

  assert {
    condition     = length(aws_dynamodb_table.main) == 0
    error_message = "Adopting a table must not create another."
  }

  assert {
    condition     = output.table_name == "memory-restored" && endswith(output.table_arn, ":table/memory-restored") && endswith(output.stream_arn, "/stream/1")
    error_message = "The outputs must describe the adopted table."
  }

  assert {
    condition     = output.index_arns == { by_session = "arn:aws:dynamodb:eu-west-1:123456789012:table/memory-restored/index/by_session" }
    error_message = "The indexes must be those of the adopted table."
  }
}

run "the_scaling_of_an_adopted_table_is_left_alone" {
  command = plan

  variables {
    capacity = { read_min = 5, read_max = 50, write_min = 2, write_max = 20 }
  }

  assert {
    condition     = length(aws_appautoscaling_target.main) == 0
    error_message = "A table that the module does not own must not be scaled by it."
  }
}

run "a_table_with_other_keys_is_not_adopted" {
  command         = plan
  expect_failures = [data.aws_dynamodb_table.existing]

  variables {
    hash_key = "id"
  }
}

run "a_table_without_an_index_is_not_adopted" {
  command         = plan
  expect_failures = [data.aws_dynamodb_table.existing]

  variables {
    global_indexes = { by_user = { hash_key = "user_key" } }
  }
}

run "a_table_with_another_stream_is_not_adopted" {
  command         = plan
  expect_failures = [data.aws_dynamodb_table.existing]

  variables {
    stream = "KEYS_ONLY"
  }
}

run "a_table_that_expires_by_another_attribute_is_not_adopted" {
  command         = plan
  expect_failures = [data.aws_dynamodb_table.existing]

  variables {
    ttl_attribute = "ttl"
  }
}

run "a_table_without_recovery_is_not_adopted" {
  command         = plan
  expect_failures = [data.aws_dynamodb_table.existing]

  override_data {
    target = data.aws_dynamodb_table.existing[0]
    values = {
      point_in_time_recovery = [{ enabled = false, recovery_period_in_days = 0 }]
    }
  }
}
