# Work that requests leave behind: a note in the memory table's outbox, from there over the stream to `relay`, from there to a
# queue, and from there to `ingest`. Every function that can write a record can queue work so, wherever it lives.
module "jobs" {
  source = "../ingest-queue"

  name             = "${var.name}-jobs"
  dead_letter_name = "${var.name}-dead-letters" # of all functions: one alarm is enough
  timeout_s        = local._ingest_s
  max_attempts     = var.jobs.max_attempts
  tags             = var.tags
}

moved {
  from = aws_sqs_queue.dead_letter
  to   = module.jobs.aws_sqs_queue.dead_letter
}

locals {
  # What one job may take; a worker that is asked for several begins none that it might not end.
  _job_s    = ceil(var.embedding.timeout_s) + 7 + sum(concat([0], local._summary_s))
  _ingest_s = min(900, 2 * local._job_s + 10)

  _summary_s = [for s in var.summarizer[*] : s.timeout_s]

  _relay = {
    timeout_s   = 30
    environment = { JOB_QUEUE_URL = module.jobs.queue_url }
    policy = merge(
      { for name in ["Stream", "Streams"] : name => local._follow_stream[name] },
      { Send = { actions = ["sqs:SendMessage"], resources = [module.jobs.queue_arn] } },
    )
    tenant_policy = null # it hands on what the stream tells of everybody, and reads no record
  }

  # For whoever leaves work behind, beside what it may do in the tables anyway.
  _job_environment = { for s in var.summarizer[*] : "SUMMARIZER_INPUT_TOKENS" => tostring(s.max_input_tokens) }

  _ingest = {
    timeout_s = local._ingest_s
    environment = merge(local._tables, local._embedding, {
      JOB_ATTEMPTS = tostring(var.jobs.max_attempts)
      JOB_S        = tostring(local._job_s)
      LIMITS       = local._limits
      }, [for s in var.summarizer[*] : {
        SUMMARIZER_MODEL         = s.model_id
        SUMMARIZER_OUTPUT_TOKENS = tostring(s.max_output_tokens)
        SUMMARIZER_TIMEOUT_S     = tostring(s.timeout_s)
    }]...)
    policy = merge(
      local._embeds,
      { Receive = local._receive_jobs },
      local._store_texts,
      { for s in var.summarizer[*] : "Summarize" => { actions = ["bedrock:InvokeModel"], resources = local._summarizer_arns } },
    )
    tenant_policy = {
      DataKeys = local._data_keys
      # Notes and states that have expired go; a fact of a session is its user's; vectors that could not be had are another job.
      Memory = { actions = ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], resources = [local._memory] }
      Jobs = {
        actions   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
        resources = [local._control]
      }
      EndOfJobs = { actions = ["dynamodb:DeleteItem"], resources = [local._control] }
      Answers   = local._answers
      Usage     = local._usage
    }
  }

  # Lambda uses these in the function's name.
  _receive_jobs = {
    actions   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
    resources = [module.jobs.queue_arn]
  }

  _summarizer_arns = flatten([
    for s in var.summarizer[*] : coalescelist(
      tolist(s.resource_arns),
      ["arn:${local._partition}:bedrock:${local._region}::foundation-model/${s.model_id}"],
    )
  ])
}

# Beside the archiver, which the stream wakes for other changes. No window: somebody waits for what the note announces.
resource "aws_lambda_event_source_mapping" "relay" {
  event_source_arn                   = module.table["memory"].stream_arn
  function_name                      = module.function["relay"].function_name
  starting_position                  = "TRIM_HORIZON"
  batch_size                         = 100
  maximum_batching_window_in_seconds = 0
  function_response_types            = ["ReportBatchItemFailures"]
  bisect_batch_on_function_error     = true
  maximum_retry_attempts             = -1 # for as long as the stream keeps a note; the outbox keeps it for longer
  maximum_record_age_in_seconds      = -1
  tags                               = var.tags

  filter_criteria {
    filter {
      pattern = jsonencode({
        eventName = ["INSERT"]
        dynamodb  = { NewImage = { sk = { S = [{ prefix = "OUTBOX#" }] } } }
      })
    }
  }

  depends_on = [module.function] # Lambda looks whether the role may read the stream
}

# Texts of several jobs are embedded together. A model that summarises takes its time for each: what had no time left in a worker's
# life would wait for a visibility timeout and lose a delivery, so then a worker gets one message.
resource "aws_lambda_event_source_mapping" "ingest" {
  event_source_arn                   = module.jobs.queue_arn
  function_name                      = module.database_function["ingest"].function_name
  batch_size                         = var.summarizer == null ? 10 : 1
  maximum_batching_window_in_seconds = 0
  function_response_types            = ["ReportBatchItemFailures"]
  tags                               = var.tags

  dynamic "scaling_config" {
    for_each = var.jobs.max_concurrency[*]
    content {
      maximum_concurrency = scaling_config.value
    }
  }

  depends_on = [module.database_function]
}
