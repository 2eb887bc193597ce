mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { zone_ids = ["euw1-az1", "euw1-az2", "euw1-az3"] }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  name = "memory"
}

run "a_name_in_capitals_is_refused" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "Memory"
  }
}

run "a_single_zone_is_refused" {
  command         = plan
  expect_failures = [var.az_count]

  variables {
    az_count = 1
  }
}

run "four_zones_are_refused" {
  command         = plan
  expect_failures = [var.az_count]

  variables {
    az_count = 4
  }
}

run "a_range_too_small_is_refused" {
  command         = plan
  expect_failures = [var.cidr]

  variables {
    cidr = "10.0.0.0/28"
  }
}

run "a_range_that_is_none_is_refused" {
  command         = plan
  expect_failures = [var.cidr]

  variables {
    cidr = "10.0.0.300/16"
  }
}

run "a_privileged_port_is_refused" {
  command         = plan
  expect_failures = [var.database_port]

  variables {
    database_port = 80
  }
}

run "an_endpoint_in_more_zones_than_there_are_is_refused" {
  command         = plan
  expect_failures = [var.endpoint_az_count]

  variables {
    endpoint_az_count = 3
  }
}

run "an_endpoint_in_no_zone_is_refused" {
  command         = plan
  expect_failures = [var.endpoint_az_count]

  variables {
    endpoint_az_count = 0
  }
}

run "a_retention_unknown_to_cloudwatch_is_refused" {
  command         = plan
  expect_failures = [var.flow_logs]

  variables {
    flow_logs = { retention_days = 31 }
  }
}

run "an_endpoint_of_another_service_is_refused" {
  command         = plan
  expect_failures = [var.interface_endpoints]

  variables {
    interface_endpoints = ["sqs"]
  }
}

run "a_gateway_endpoint_of_another_service_is_refused" {
  command         = plan
  expect_failures = [var.gateway_endpoints]

  variables {
    gateway_endpoints = ["s3", "sqs"]
  }
}

run "tags_of_aws_are_refused" {
  command         = plan
  expect_failures = [var.tags]

  variables {
    tags = { "aws:owner" = "me" }
  }
}

run "an_account_with_too_few_usable_zones_is_refused" {
  command         = plan
  expect_failures = [data.aws_availability_zones.usable]

  override_data {
    target = data.aws_availability_zones.usable
    values = { zone_ids = ["usw1-az1"] }
  }
}
