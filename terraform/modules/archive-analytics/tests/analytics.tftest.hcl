mock_provider "aws" {
  override_during = plan

  mock_resource "aws_s3_bucket" {
    defaults = { id = "acme-results", arn = "arn:aws:s3:::acme-results" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  name        = "acme-memory"
  bucket_name = "acme-archive"
  results     = { bucket_name = "acme-results" }
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1"
}

run "where_objects_lie_follows_from_what_is_asked" {
  command = plan

  assert {
    condition = {
      for name, value in aws_glue_catalog_table.episodes.parameters : name => value
      if startswith(name, "projection") || startswith(name, "storage")
      } == {
      "projection.enabled"        = "true"
      "projection.tenant.type"    = "injected"
      "projection.agent.type"     = "injected"
      "projection.day.type"       = "date"
      "projection.day.format"     = "yyyy-MM-dd"
      "projection.day.range"      = "2024-01-01,NOW+1DAYS"
      "storage.location.template" = "s3://acme-archive/$${tenant}/$${agent}/$${day}/"
    }
    error_message = "Every partition must be found without being added."
  }

  assert {
    condition     = aws_glue_catalog_table.episodes.partition_keys[*].name == tolist(["tenant", "agent", "day"])
    error_message = "Every part of the template must be a partition key."
  }
}

run "no_column_is_a_partition_key_too" {
  command = plan

  assert {
    condition     = length(setintersection(keys(local._columns), aws_glue_catalog_table.episodes.partition_keys[*].name)) == 0
    error_message = "Athena refuses a table that says a name twice."
  }
}

run "a_query_that_reads_too_much_is_stopped" {
  command = plan

  variables {
    scan_limit_mib = 10
  }

  assert {
    condition = (
      aws_athena_workgroup.main.configuration[0].enforce_workgroup_configuration
      && aws_athena_workgroup.main.configuration[0].bytes_scanned_cutoff_per_query == 10485760
    )
    error_message = "Nobody may choose another limit for a query."
  }
}

run "results_are_encrypted_and_go" {
  command = plan

  assert {
    condition = (
      aws_athena_workgroup.main.configuration[0].result_configuration[0].output_location == "s3://acme-results/"
      && aws_athena_workgroup.main.configuration[0].result_configuration[0].encryption_configuration[0].kms_key_arn == var.kms_key_arn
    )
    error_message = "Results must lie in their bucket, encrypted with the key."
  }
}

run "names_need_no_quotes" {
  command = plan

  assert {
    condition     = output.database_name == "acme_memory" && output.workgroup_name == "acme-memory-analytics"
    error_message = "A database with a hyphen has to be quoted."
  }
}

run "without_a_key_s3_encrypts" {
  command = plan

  variables {
    kms_key_arn = null
  }

  assert {
    condition     = aws_athena_workgroup.main.configuration[0].result_configuration[0].encryption_configuration[0].encryption_option == "SSE_S3"
    error_message = "Results must be encrypted in any case."
  }
}

run "a_limit_that_athena_does_not_take_is_refused" {
  command         = plan
  expect_failures = [var.scan_limit_mib]

  variables {
    scan_limit_mib = 9
  }
}

run "results_kept_for_a_year_are_refused" {
  command         = plan
  expect_failures = [var.results]

  variables {
    results = { bucket_name = "acme-results", days = 365 }
  }
}

run "a_first_day_that_no_calendar_has_is_refused" {
  command         = plan
  expect_failures = [var.first_day]

  variables {
    first_day = "2024-13-01"
  }
}

run "a_name_that_athena_does_not_take_is_refused" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "Acme Memory"
  }
}
