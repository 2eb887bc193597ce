mock_provider "aws" {}

variables {
  name = "memory"
}

run "a_name_of_two_letters_is_refused" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "pt"
  }
}

run "a_minimum_above_the_maximum_is_refused" {
  command         = plan
  expect_failures = [var.capacity]

  variables {
    capacity = { read_min = 9, read_max = 5, write_min = 1, write_max = 5 }
  }
}

run "a_target_utilisation_of_95_percent_is_refused" {
  command         = plan
  expect_failures = [var.capacity]

  variables {
    capacity = { read_min = 1, read_max = 5, write_min = 1, write_max = 5, target_utilisation_percent = 95 }
  }
}

run "an_existing_table_by_arn_is_refused" {
  command         = plan
  expect_failures = [var.existing_table_name]

  variables {
    existing_table_name = "arn:aws:dynamodb:eu-west-1:123456789012:table/memory"
  }
}

run "more_than_20_indexes_are_refused" {
  command         = plan
  expect_failures = [var.global_indexes]

  variables {
    global_indexes = { for n in range(21) : "index-${n}" => { hash_key = "key" } }
  }
}

run "an_index_name_of_two_letters_is_refused" {
  command         = plan
  expect_failures = [var.global_indexes]

  variables {
    global_indexes = { g1 = { hash_key = "key" } }
  }
}

run "an_unknown_projection_is_refused" {
  command         = plan
  expect_failures = [var.global_indexes]

  variables {
    global_indexes = { by_user = { hash_key = "user_key", projection = "INCLUDE" } }
  }
}

run "an_empty_hash_key_is_refused" {
  command         = plan
  expect_failures = [var.hash_key]

  variables {
    hash_key = ""
  }
}

run "an_alias_in_place_of_a_key_is_refused" {
  command         = plan
  expect_failures = [var.kms_key_arn]

  variables {
    kms_key_arn = "alias/memory"
  }
}

run "a_limit_of_nothing_is_refused" {
  command         = plan
  expect_failures = [var.on_demand_limits]

  variables {
    on_demand_limits = { read = 0, write = 5 }
  }
}

run "on_demand_limits_beside_capacity_are_refused" {
  command         = plan
  expect_failures = [var.on_demand_limits]

  variables {
    on_demand_limits = { read = 5, write = 5 }
    capacity         = { read_min = 1, read_max = 5, write_min = 1, write_max = 5 }
  }
}

run "recovery_over_36_days_is_refused" {
  command         = plan
  expect_failures = [var.point_in_time_recovery]

  variables {
    point_in_time_recovery = { days = 36 }
  }
}

run "recovery_over_half_a_day_is_refused" {
  command         = plan
  expect_failures = [var.point_in_time_recovery]

  variables {
    point_in_time_recovery = { days = 0.5 }
  }
}

run "a_range_key_that_is_the_hash_key_is_refused" {
  command         = plan
  expect_failures = [var.range_key]

  variables {
    range_key = "pk"
  }
}

run "an_unknown_stream_view_is_refused" {
  command         = plan
  expect_failures = [var.stream]

  variables {
    stream = "NEW_IMAGES"
  }
}

run "an_unknown_table_class_is_refused" {
  command         = plan
  expect_failures = [var.table_class]

  variables {
    table_class = "GLACIER"
  }
}

run "tags_of_aws_are_refused" {
  command         = plan
  expect_failures = [var.tags]

  variables {
    tags = { "aws:owner" = "me" }
  }
}

run "an_empty_ttl_attribute_is_refused" {
  command         = plan
  expect_failures = [var.ttl_attribute]

  variables {
    ttl_attribute = ""
  }
}
