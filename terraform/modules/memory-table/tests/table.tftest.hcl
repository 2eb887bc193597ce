mock_provider "aws" {
  mock_resource "aws_dynamodb_table" {
    defaults = {
      arn        = "arn:aws:dynamodb:eu-west-1:123456789012:table/memory"
      stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/memory/stream/2026-11-20T00:00:00.000"
    }
    override_during = plan
  }
}

variables {
  name = "memory"
}

run "a_table_by_name_alone_is_billed_per_request_and_safe" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.main[0].billing_mode == "PAY_PER_REQUEST"
    error_message = "Without capacity the table must be billed per request."
  }

  assert {
    condition     = aws_dynamodb_table.main[0].deletion_protection_enabled && aws_dynamodb_table.main[0].point_in_time_recovery[0].enabled
    error_message = "Deletion protection and point-in-time recovery must be on by default."
  }

  assert {
    condition     = aws_dynamodb_table.main[0].hash_key == "pk" && aws_dynamodb_table.main[0].range_key == "sk"
    error_message = "The keys must default to pk and sk."
  }

  assert {
    condition     = one(aws_dynamodb_table.main[0].ttl).attribute_name == "evict_at" && one(aws_dynamodb_table.main[0].ttl).enabled
    error_message = "Items must expire by evict_at."
  }

  assert {
    condition     = !aws_dynamodb_table.main[0].stream_enabled && output.stream_arn == null
    error_message = "Without stream there must be none."
  }
}

run "indexes_share_the_declarations_of_their_attributes" {
  command = plan

  variables {
    global_indexes = {
      by_session = { hash_key = "session_key", range_key = "time_key" }
      by_user    = { hash_key = "user_key", range_key = "time_key", projection = "ALL" }
      by_tenant  = { hash_key = "tenant_key", range_key = "sk" }
    }
  }

  assert {
    condition     = sort(aws_dynamodb_table.main[0].attribute[*].name) == tolist(["pk", "session_key", "sk", "tenant_key", "time_key", "user_key"])
    error_message = "Each key attribute must be declared once."
  }

  assert {
    condition     = { for index in aws_dynamodb_table.main[0].global_secondary_index : index.name => index.projection_type } == { by_session = "KEYS_ONLY", by_user = "ALL", by_tenant = "KEYS_ONLY" }
    error_message = "An index must hold only keys unless it is told otherwise."
  }

  assert {
    condition     = output.index_arns["by_user"] == "arn:aws:dynamodb:eu-west-1:123456789012:table/memory/index/by_user"
    error_message = "index_arns must name each index."
  }
}

run "a_stream_recovery_days_a_key_a_class_and_limits_can_be_chosen" {
  command = plan

  variables {
    stream                 = "NEW_AND_OLD_IMAGES"
    point_in_time_recovery = { days = 14 }
    kms_key_arn            = "arn:aws:kms:eu-west-1:123456789012:key/one"
    table_class            = "STANDARD_INFREQUENT_ACCESS"
    on_demand_limits       = { read = 500, write = 100 }
    deletion_protection    = false
  }

  assert {
    condition     = aws_dynamodb_table.main[0].stream_view_type == "NEW_AND_OLD_IMAGES" && endswith(output.stream_arn, "/stream/2026-11-20T00:00:00.000")
    error_message = "The stream must hold what was asked for and be handed out."
  }

  assert {
    condition     = aws_dynamodb_table.main[0].point_in_time_recovery[0].recovery_period_in_days == 14
    error_message = "Recovery must reach back the days that were asked for."
  }

  assert {
    condition     = aws_dynamodb_table.main[0].server_side_encryption[0].enabled && aws_dynamodb_table.main[0].server_side_encryption[0].kms_key_arn == var.kms_key_arn
    error_message = "The table must be encrypted by the given key."
  }

  assert {
    condition     = aws_dynamodb_table.main[0].table_class == "STANDARD_INFREQUENT_ACCESS" && !aws_dynamodb_table.main[0].deletion_protection_enabled
    error_message = "Table class and deletion protection must follow the inputs."
  }

  assert {
    condition     = aws_dynamodb_table.main[0].on_demand_throughput[0].max_read_request_units == 500 && aws_dynamodb_table.main[0].on_demand_throughput[0].max_write_request_units == 100
    error_message = "The limits must reach the table."
  }
}

run "recovery_and_expiry_can_be_given_up" {
  command = plan

  variables {
    point_in_time_recovery = null
    ttl_attribute          = null
  }

  assert {
    condition     = !aws_dynamodb_table.main[0].point_in_time_recovery[0].enabled && length(aws_dynamodb_table.main[0].ttl) == 0
    error_message = "null must switch recovery and expiry off."
  }
}
