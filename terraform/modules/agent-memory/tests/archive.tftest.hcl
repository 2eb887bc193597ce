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


run "the_archiver_misses_nothing_that_the_stream_holds" {
  command = plan

  assert {
    condition = (
      aws_lambda_event_source_mapping.archiver.event_source_arn == output.tables.memory.stream_arn
      && aws_lambda_event_source_mapping.archiver.starting_position == "TRIM_HORIZON"
    )
    error_message = "It must begin with the oldest change of the memory table."
  }
}

run "what_cannot_be_processed_holds_up_nothing_for_ever_and_is_kept" {
  command = plan

  assert {
    condition = (
      aws_lambda_event_source_mapping.archiver.function_response_types == toset(["ReportBatchItemFailures"])
      && aws_lambda_event_source_mapping.archiver.bisect_batch_on_function_error
      && aws_lambda_event_source_mapping.archiver.maximum_retry_attempts == 20
    )
    error_message = "One bad record must be found, tried again for a while, and given up."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.archiver.maximum_record_age_in_seconds < 24 * 3600
    error_message = "The stream keeps a change for 24 hours: given up later, it would be lost without a trace."
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.archiver.destination_config[0].on_failure[0].destination_arn == output.failed_records.bucket_arn
      && alltrue([for s in ["PutObject", "ListBucket"] : anytrue([for p in local._archive_functions.archiver.policy : contains(p.actions, "s3:${s}")])])
    )
    error_message = "What is given up must lie in the bucket for it, where the archiver's role may put it."
  }
}

run "the_archiver_hears_of_episodes_bodies_and_expiry_only" {
  command = plan

  assert {
    condition     = length(aws_lambda_event_source_mapping.archiver.filter_criteria[0].filter) <= 5
    error_message = "Lambda takes five filters unless it is asked for more."
  }

  assert {
    condition = {
      for f in aws_lambda_event_source_mapping.archiver.filter_criteria[0].filter :
      join(" ", jsondecode(f.pattern).eventName) => keys(jsondecode(f.pattern).dynamodb)[0]...
      } == {
      INSERT          = ["NewImage"]
      MODIFY          = ["NewImage"]
      "MODIFY REMOVE" = ["OldImage"]
      REMOVE          = ["OldImage"]
    }
    error_message = "New and changed episodes, whatever owned a body, and what expired."
  }
}

run "how_episodes_move_is_said_to_all_who_move_them" {
  command = plan

  variables {
    episodes = { hot_days = 3, archive_within_days = 2, batch_window_s = 5, parallel = 4 }
  }

  assert {
    condition = alltrue([
      for name in ["archiver", "episodic", "sweeper", "unified"] : local._all_functions[name].environment.HOT_S == "259200"
    ])
    error_message = "Whoever writes or moves episodes must know how long they stay."
  }

  assert {
    condition     = alltrue([for name in ["archiver", "sweeper"] : local._all_functions[name].environment.ARCHIVE_WITHIN_S == "172800"])
    error_message = "Both must know how long an episode may wait."
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.archiver.maximum_batching_window_in_seconds == 5
      && aws_lambda_event_source_mapping.archiver.parallelization_factor == 4
    )
    error_message = "How changes come together must be as asked for."
  }
}

run "the_sweeper_may_what_the_archiver_may_and_look_for_what_was_forgotten" {
  command = plan

  assert {
    condition = setsubtract(
      flatten([for s in local._archive_functions.sweeper.policy : s.actions]),
      flatten([for s in local._archive_functions.archiver.policy : s.actions]),
    ) == toset(["dynamodb:DeleteItem", "dynamodb:Scan"])
    error_message = "It scans and takes rows away that another takes the place of, and nothing else that the archiver does not."
  }

  assert {
    condition = (
      local._archive_functions.archiver.policy.Usage == { actions = ["dynamodb:UpdateItem"], resources = [local._control] }
      && !contains(keys(local._archive_functions.archiver.policy), "PlaceAndLimits")
    )
    error_message = "Of the control table the archiver updates counters only."
  }
}

run "an_hour_of_hot_memory_is_refused" {
  command         = plan
  expect_failures = [var.episodes]

  variables {
    episodes = { hot_days = 0.5 }
  }
}

run "a_year_until_an_episode_is_archived_is_refused" {
  command         = plan
  expect_failures = [var.episodes]

  variables {
    episodes = { archive_within_days = 365 }
  }
}

run "a_window_longer_than_lambda_waits_is_refused" {
  command         = plan
  expect_failures = [var.episodes]

  variables {
    episodes = { batch_window_s = 301 }
  }
}

run "more_batches_at_a_time_than_lambda_offers_are_refused" {
  command         = plan
  expect_failures = [var.episodes]

  variables {
    episodes = { parallel = 11 }
  }
}

run "a_retention_that_keeps_nothing_is_refused" {
  command         = plan
  expect_failures = [var.limits]

  variables {
    limits = { retention_days = 0 }
  }
}
