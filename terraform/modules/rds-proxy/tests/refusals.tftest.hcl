mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  name               = "memory"
  cluster_identifier = "memory"
  min_acu            = 0.5
  secret_arn         = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:memory/memory_app-abcdef"
  vpc                = { subnet_ids = ["subnet-1", "subnet-2"], security_group_ids = ["sg-1"] }
}

run "a_cluster_that_would_pause_is_refused" {
  command         = plan
  expect_failures = [var.min_acu]

  variables {
    min_acu = 0
  }
}

run "a_name_with_an_underscore_is_refused" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "agent_memory"
  }
}

run "a_cluster_by_arn_is_refused" {
  command         = plan
  expect_failures = [var.cluster_identifier]

  variables {
    cluster_identifier = "arn:aws:rds:eu-west-1:123456789012:cluster:memory"
  }
}

run "a_secret_by_name_is_refused" {
  command         = plan
  expect_failures = [var.secret_arn]

  variables {
    secret_arn = "memory/memory_app"
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

run "a_wait_as_long_as_the_api_is_refused" {
  command         = plan
  expect_failures = [var.borrow_timeout_s]

  variables {
    borrow_timeout_s = 30
  }
}

run "no_wait_at_all_is_refused" {
  command         = plan
  expect_failures = [var.borrow_timeout_s]

  variables {
    borrow_timeout_s = 0
  }
}

run "idling_for_nine_hours_is_refused" {
  command         = plan
  expect_failures = [var.idle_client_timeout_s]

  variables {
    idle_client_timeout_s = 32400
  }
}

run "an_alias_in_place_of_a_key_is_refused" {
  command         = plan
  expect_failures = [var.kms_key_arn]

  variables {
    kms_key_arn = "alias/memory"
  }
}

run "more_connections_than_there_are_is_refused" {
  command         = plan
  expect_failures = [var.max_connections_percent]

  variables {
    max_connections_percent = 101
  }
}

run "tags_of_aws_are_refused" {
  command         = plan
  expect_failures = [var.tags]

  variables {
    tags = { "aws:owner" = "me" }
  }
}

run "a_subnet_in_a_zone_without_rds_proxy_is_refused" {
  command         = plan
  expect_failures = [data.aws_subnet.main]

  override_data {
    target = data.aws_subnet.main
    values = { availability_zone_id = "use1-az3" }
  }
}
