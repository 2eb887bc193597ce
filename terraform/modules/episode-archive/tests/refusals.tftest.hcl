mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  name = "memory-episodes"
}

run "a_name_in_capitals_is_refused" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "Episodes"
  }
}

run "a_bucket_that_logs_to_itself_is_refused" {
  command         = plan
  expect_failures = [var.access_log]

  variables {
    access_log = { bucket = "memory-episodes" }
  }
}

run "an_alias_in_place_of_a_key_is_refused" {
  command         = plan
  expect_failures = [var.kms_key_arn]

  variables {
    kms_key_arn = "alias/memory"
  }
}

run "no_day_of_old_versions_is_refused" {
  command         = plan
  expect_failures = [var.noncurrent_days]

  variables {
    noncurrent_days = 0
  }
}

run "over_five_weeks_of_old_versions_are_refused" {
  command         = plan
  expect_failures = [var.noncurrent_days]

  variables {
    noncurrent_days = 36
  }
}

run "tags_of_aws_are_refused" {
  command         = plan
  expect_failures = [var.tags]

  variables {
    tags = { "aws:owner" = "me" }
  }
}

run "a_class_that_takes_hours_to_read_is_refused" {
  command         = plan
  expect_failures = [var.transitions]

  variables {
    transitions = { DEEP_ARCHIVE = 90 }
  }
}

run "a_class_in_a_single_zone_is_refused" {
  command         = plan
  expect_failures = [var.transitions]

  variables {
    transitions = { ONEZONE_IA = 30 }
  }
}

run "a_transition_after_no_day_is_refused" {
  command         = plan
  expect_failures = [var.transitions]

  variables {
    transitions = { GLACIER_IR = 0 }
  }
}

run "a_stay_in_standard_ia_shorter_than_what_is_billed_is_refused" {
  command         = plan
  expect_failures = [var.transitions]

  variables {
    transitions = { STANDARD_IA = 30, GLACIER_IR = 45 }
  }
}

run "a_transition_backwards_is_refused" {
  command         = plan
  expect_failures = [var.transitions]

  variables {
    transitions = { INTELLIGENT_TIERING = 90, GLACIER_IR = 60 }
  }
}
