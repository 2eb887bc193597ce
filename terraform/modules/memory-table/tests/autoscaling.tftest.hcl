mock_provider "aws" {
  mock_data "aws_dynamodb_tables" {
    defaults = { names = ["another"] }
  }
}

variables {
  name           = "memory"
  global_indexes = { by_session = { hash_key = "session_key" } }
  capacity       = { read_min = 5, read_max = 50, write_min = 2, write_max = 20 }
}

run "on_demand_needs_no_scaling_and_looks_at_no_other_table" {
  command = plan

  variables {
    capacity = null
  }

  assert {
    condition     = length(aws_appautoscaling_policy.main) == 0 && length(data.aws_dynamodb_tables.all) == 0
    error_message = "A table billed per request must come without autoscaling."
  }
}

run "a_new_table_and_its_index_start_at_their_minimum" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.main[0].billing_mode == "PROVISIONED" && aws_dynamodb_table.main[0].read_capacity == 5 && aws_dynamodb_table.main[0].write_capacity == 2
    error_message = "A new table must start at read_min and write_min."
  }

  assert {
    condition     = one(aws_dynamodb_table.main[0].global_secondary_index).read_capacity == 5 && one(aws_dynamodb_table.main[0].global_secondary_index).write_capacity == 2
    error_message = "A new index must start at read_min and write_min."
  }
}

run "reads_and_writes_of_table_and_index_scale_between_their_bounds" {
  command = plan

  assert {
    condition = { for key, target in aws_appautoscaling_target.main : key => "${target.resource_id} ${target.scalable_dimension} ${target.min_capacity}-${target.max_capacity}" } == {
      "memory/read"      = "table/memory dynamodb:table:ReadCapacityUnits 5-50"
      "memory/write"     = "table/memory dynamodb:table:WriteCapacityUnits 2-20"
      "by_session/read"  = "table/memory/index/by_session dynamodb:index:ReadCapacityUnits 5-50"
      "by_session/write" = "table/memory/index/by_session dynamodb:index:WriteCapacityUnits 2-20"
    }
    error_message = "Each throughput must have its own target."
  }

  assert {
    condition     = alltrue([for policy in aws_appautoscaling_policy.main : policy.target_tracking_scaling_policy_configuration[0].target_value == 70])
    error_message = "Scaling must aim at 70 percent by default."
  }
}

run "what_autoscaling_chose_is_kept_within_the_bounds" {
  command = plan

  override_data {
    target = data.aws_dynamodb_tables.all[0]
    values = { names = ["another", "memory"] }
  }

  override_data {
    target = data.aws_dynamodb_table.current[0]
    values = {
      name           = "memory"
      read_capacity  = 31
      write_capacity = 90
      global_secondary_index = [{
        name                 = "by_session"
        hash_key             = "session_key"
        range_key            = ""
        projection_type      = "KEYS_ONLY"
        non_key_attributes   = []
        on_demand_throughput = []
        read_capacity        = 17
        write_capacity       = 1
      }]
    }
  }

  assert {
    condition     = aws_dynamodb_table.main[0].read_capacity == 31 && one(aws_dynamodb_table.main[0].global_secondary_index).read_capacity == 17
    error_message = "A plan must not undo what autoscaling chose."
  }

  assert {
    condition     = aws_dynamodb_table.main[0].write_capacity == 20 && one(aws_dynamodb_table.main[0].global_secondary_index).write_capacity == 2
    error_message = "Capacity outside the bounds must come back to them."
  }
}
