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


run "the_relay_hears_of_new_notes_only_and_at_once" {
  command = plan

  assert {
    condition = [for f in one(aws_lambda_event_source_mapping.relay.filter_criteria).filter : jsondecode(f.pattern)] == [{
      eventName = ["INSERT"]
      dynamodb  = { NewImage = { sk = { S = [{ prefix = "OUTBOX#" }] } } }
    }]
    error_message = "It must be woken for notes of the outbox, and for nothing else."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.relay.maximum_batching_window_in_seconds == 0 && aws_lambda_event_source_mapping.ingest.maximum_batching_window_in_seconds == 0
    error_message = "Somebody waits for a job."
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.relay.event_source_arn == output.tables.memory.stream_arn
      && aws_lambda_event_source_mapping.relay.starting_position == "TRIM_HORIZON"
      && aws_lambda_event_source_mapping.relay.maximum_retry_attempts == -1
    )
    error_message = "No note may be missed, or given up while the stream has it."
  }

  assert {
    condition = alltrue([
      for m in [aws_lambda_event_source_mapping.relay, aws_lambda_event_source_mapping.ingest] : m.function_response_types == toset(["ReportBatchItemFailures"])
    ])
    error_message = "What failed must come again without what did not."
  }
}

run "the_archiver_is_not_woken_by_notes_that_go" {
  command = plan

  assert {
    condition     = local._archived_changes.expired.dynamodb == { OldImage = { job_id = { S = [{ exists = false }] } } }
    error_message = "A note of the outbox counts for nothing when it goes."
  }
}

run "the_relay_reads_the_stream_and_sends_and_nothing_else" {
  command = plan

  assert {
    condition = toset(flatten([for s in local._plain_functions.relay.policy : [for a in s.actions : a]])) == toset([
      "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams", "sqs:SendMessage",
    ])
    error_message = "It hands on ids."
  }

  assert {
    condition     = toset(keys(local._plain_functions.relay.environment)) == toset(["JOB_QUEUE_URL"])
    error_message = "It needs to know of no table."
  }
}

run "only_relay_sends_to_the_queue_and_only_ingest_takes_from_it" {
  command = plan

  assert {
    condition = {
      for action in ["SendMessage", "ReceiveMessage"] : action => [
        for name, f in local._all_functions : name if anytrue(flatten([for s in merge(f.policy, f.tenant_policy) : contains(s.actions, "sqs:${action}")]))
      ]
    } == { SendMessage = ["relay"], ReceiveMessage = ["ingest"] }
    error_message = "Whoever else leaves work behind writes a note."
  }
}

run "a_job_may_take_its_time_and_a_message_waits_for_its_worker" {
  command = plan

  variables {
    jobs       = { max_attempts = 3, max_concurrency = 4 }
    summarizer = { model_id = "amazon.nova-micro-v1:0", timeout_s = 90 }
  }

  assert {
    condition     = local._database_functions.ingest.timeout_s == 240 && local._database_functions.ingest.environment.JOB_S == "115"
    error_message = "A worker must live for longer than a job takes, that of a model included."
  }

  assert {
    condition     = local._database_functions.ingest.environment.JOB_ATTEMPTS == "3"
    error_message = "Queue and worker must count alike."
  }

  assert {
    condition     = one(aws_lambda_event_source_mapping.ingest.scaling_config).maximum_concurrency == 4
    error_message = "Workers must be as few as asked for."
  }
}

run "jobs_that_call_no_model_are_done_together" {
  command = plan

  assert {
    condition     = aws_lambda_event_source_mapping.ingest.batch_size == 10
    error_message = "Their texts are to be embedded together."
  }
}

run "with_a_summarizer_no_job_waits_in_a_batch_for_others" {
  command = plan

  variables {
    summarizer = { model_id = "amazon.nova-micro-v1:0" }
  }

  assert {
    condition     = aws_lambda_event_source_mapping.ingest.batch_size == 1
    error_message = "A job that its worker has no time for would be handed back, and lose a delivery and minutes."
  }
}

run "without_a_summarizer_no_function_may_call_a_model_but_for_vectors" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for f in local._all_functions : [
        for s in merge(f.policy, f.tenant_policy) : s.resources == local._embeds.Embed.resources if anytrue([for a in s.actions : startswith(a, "bedrock:")])
      ]
    ]))
    error_message = "A model that writes must be asked for."
  }

  assert {
    condition     = length([for name, f in local._all_functions : name if anytrue([for v in keys(f.environment) : startswith(v, "SUMMARIZER_")])]) == 0
    error_message = "Nobody may be told of one."
  }
}

run "ingest_alone_calls_the_summarizer" {
  command = plan

  variables {
    summarizer = { model_id = "amazon.nova-micro-v1:0" }
  }

  assert {
    condition = [
      for name, f in local._all_functions : name
      if anytrue(flatten([for s in merge(f.policy, f.tenant_policy) : [for r in s.resources : endswith(r, "/amazon.nova-micro-v1:0")]]))
    ] == ["ingest"]
    error_message = "Whoever serves requests must call no model that writes."
  }

  assert {
    condition     = toset(local._database_functions.ingest.policy.Summarize.resources) == toset(["arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-micro-v1:0"])
    error_message = "It must be this model and no other."
  }

  assert {
    condition     = local._database_functions.knowledge.environment.SUMMARIZER_INPUT_TOKENS == "32000"
    error_message = "Whoever takes transcripts must know how long they may be."
  }
}

run "an_inference_profile_is_named_with_its_models" {
  command = plan

  variables {
    summarizer = {
      model_id = "eu.amazon.nova-micro-v1:0"
      resource_arns = [
        "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-micro-v1:0",
        "arn:aws:bedrock:eu-central-1::foundation-model/amazon.nova-micro-v1:0",
      ]
    }
  }

  assert {
    condition     = toset(local._database_functions.ingest.policy.Summarize.resources) == var.summarizer.resource_arns
    error_message = "IAM must name what was given."
  }
}

run "a_wildcard_for_a_model_is_refused" {
  command         = plan
  expect_failures = [var.summarizer]

  variables {
    summarizer = { model_id = "amazon.nova-micro-v1:0", resource_arns = ["arn:aws:bedrock:eu-west-1::foundation-model/*"] }
  }
}

run "a_model_id_that_is_none_is_refused" {
  command         = plan
  expect_failures = [var.summarizer]

  variables {
    summarizer = { model_id = "*" }
  }
}

run "an_answer_without_bounds_is_refused" {
  command         = plan
  expect_failures = [var.summarizer]

  variables {
    summarizer = { model_id = "amazon.nova-micro-v1:0", max_output_tokens = 100000 }
  }
}

run "a_transcript_without_bounds_is_refused" {
  command         = plan
  expect_failures = [var.summarizer]

  variables {
    summarizer = { model_id = "amazon.nova-micro-v1:0", max_input_tokens = 10000000 }
  }
}

run "a_summary_that_takes_for_ever_is_refused" {
  command         = plan
  expect_failures = [var.summarizer]

  variables {
    summarizer = { model_id = "amazon.nova-micro-v1:0", timeout_s = 600 }
  }
}

run "a_single_worker_is_refused" {
  command         = plan
  expect_failures = [var.jobs]

  variables {
    jobs = { max_concurrency = 1 }
  }
}
