mock_provider "aws" {}

variables {
  name = "memory"
  vpc  = { subnet_ids = ["subnet-1", "subnet-2"], security_group_ids = ["sg-1"] }
}

run "a_name_with_an_underscore_is_refused" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "agent_memory"
  }
}

run "one_subnet_is_refused" {
  command         = plan
  expect_failures = [var.vpc]

  variables {
    vpc = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
  }
}

run "no_security_group_is_refused" {
  command         = plan
  expect_failures = [var.vpc]

  variables {
    vpc = { subnet_ids = ["subnet-1", "subnet-2"], security_group_ids = [] }
  }
}

run "backups_of_36_days_are_refused" {
  command         = plan
  expect_failures = [var.backup_retention_days]

  variables {
    backup_retention_days = 36
  }
}

run "no_backups_are_refused" {
  command         = plan
  expect_failures = [var.backup_retention_days]

  variables {
    backup_retention_days = 0
  }
}

run "capacity_outside_steps_of_a_half_is_refused" {
  command         = plan
  expect_failures = [var.capacity]

  variables {
    capacity = { min_acu = 0.7 }
  }
}

run "capacity_over_256_units_is_refused" {
  command         = plan
  expect_failures = [var.capacity]

  variables {
    capacity = { max_acu = 257 }
  }
}

run "a_minimum_above_the_maximum_is_refused" {
  command         = plan
  expect_failures = [var.capacity]

  variables {
    capacity = { min_acu = 8, max_acu = 4 }
  }
}

run "a_maximum_below_one_unit_is_refused" {
  command         = plan
  expect_failures = [var.capacity]

  variables {
    capacity = { max_acu = 0.5 }
  }
}

run "a_pause_after_four_minutes_is_refused" {
  command         = plan
  expect_failures = [var.capacity]

  variables {
    capacity = { auto_pause_s = 240 }
  }
}

run "a_pause_after_two_days_is_refused" {
  command         = plan
  expect_failures = [var.capacity]

  variables {
    capacity = { auto_pause_s = 172800 }
  }
}

run "a_pause_of_a_cluster_that_never_reaches_zero_is_refused" {
  command         = plan
  expect_failures = [var.capacity]

  variables {
    capacity = { min_acu = 0.5, auto_pause_s = 300 }
  }
}

run "a_database_name_with_a_dash_is_refused" {
  command         = plan
  expect_failures = [var.database_name]

  variables {
    database_name = "agent-memory"
  }
}

run "an_endpoint_with_a_port_is_refused" {
  command         = plan
  expect_failures = [var.endpoint_override]

  variables {
    endpoint_override = "127.0.0.1:5432"
  }
}

run "a_version_with_an_older_pgvector_is_refused" {
  command         = plan
  expect_failures = [var.engine_version]

  variables {
    engine_version = "16.6"
  }
}

run "another_major_version_is_refused" {
  command         = plan
  expect_failures = [var.engine_version]

  variables {
    engine_version = "17.4"
  }
}

run "an_alias_in_place_of_a_key_is_refused" {
  command         = plan
  expect_failures = [var.kms_key_arn]

  variables {
    kms_key_arn = "alias/memory"
  }
}

run "a_retention_unknown_to_cloudwatch_is_refused" {
  command         = plan
  expect_failures = [var.log_exports]

  variables {
    log_exports = { retention_days = 31 }
  }
}

run "logging_every_statement_is_refused" {
  command         = plan
  expect_failures = [var.log_exports]

  variables {
    log_exports = { slow_statement_ms = 0 }
  }
}

run "a_retention_unknown_to_performance_insights_is_refused" {
  command         = plan
  expect_failures = [var.performance_insights]

  variables {
    performance_insights = { retention_days = 30 }
  }
}

run "a_privileged_port_is_refused" {
  command         = plan
  expect_failures = [var.port]

  variables {
    port = 80
  }
}

run "three_readers_are_refused" {
  command         = plan
  expect_failures = [var.reader_count]

  variables {
    reader_count = 3
  }
}

run "tags_of_aws_are_refused" {
  command         = plan
  expect_failures = [var.tags]

  variables {
    tags = { "aws:owner" = "me" }
  }
}
