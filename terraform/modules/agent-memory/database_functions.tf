# Functions that use PostgreSQL, never ahead of the schema that they expect: what each is told and may do beside the way there.
locals {
  _embedding = merge({
    EMBEDDING_MODEL        = var.embedding.model_id
    EMBEDDING_DIMENSIONS   = tostring(var.embedding.dimensions)
    EMBEDDING_CHUNK_TOKENS = tostring(var.embedding.chunk_tokens)
    EMBEDDING_TIMEOUT_S    = tostring(var.embedding.timeout_s)
    SEARCH_LANGUAGE        = var.search.language
    }, {
    for name, value in { MODEL = one(var.embedding.next[*].model_id), DIMENSIONS = one(var.embedding.next[*].dimensions) } :
    "EMBEDDING_NEXT_${name}" => tostring(value) if value != null
  })
  _embedding_function_s = ceil(var.embedding.timeout_s) + 11 # for the stores

  # Which model is searched and which ones are written stands in one item, that of no tenant.
  _embeds = {
    Embed = {
      actions = ["bedrock:InvokeModel"]
      resources = [
        for id in distinct(concat([var.embedding.model_id], var.embedding.next[*].model_id)) :
        "arn:${local._partition}:bedrock:${local._region}::foundation-model/${id}"
      ]
    }
    EmbeddingPlan = { actions = ["dynamodb:GetItem"], resources = [local._control], leading_keys = ["EMBEDDINGS"] }
  }

  _uses_of_database = {
    ingest = local._ingest

    semantic = {
      timeout_s   = local._embedding_function_s
      environment = merge(local._tables, local._embedding, { SEARCH_CHECK_SHARE = tostring(var.search.check_share) })
      policy      = merge(local._embeds, local._store_texts)
      tenant_policy = {
        DataKeys = local._data_keys
        # Vectors that cannot be had now are left to a job, with a note in the outbox.
        SubjectsAndNotes = { actions = ["dynamodb:PutItem", "dynamodb:UpdateItem"], resources = [local._memory] }
        Jobs             = { actions = ["dynamodb:GetItem"], resources = [local._control] }
        Answers          = local._answers
        Usage            = local._usage
      }
    }

    # What is known beyond single records: facts, and what is to become of sessions; and of all layers, a session's state among
    # them, what helps to answer a message.
    knowledge = {
      timeout_s = local._embedding_function_s
      environment = merge(
        local._tables, local._embedding, local._job_environment, local._bucket,
        { CONTEXT_DEADLINE_S = tostring(var.context.deadline_s) },
      )
      policy = local._embeds
      tenant_policy = {
        DataKeys      = local._data_keys
        Memory        = { actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], resources = [local._memory] }
        LinksToStates = local._links_to_bodies
        Jobs          = { actions = ["dynamodb:BatchWriteItem", "dynamodb:GetItem"], resources = [local._control] }
        Answers       = local._answers
        Usage         = local._usage
      }
    }

    # Stores and reads on behalf of working, episodic and semantic, one record at a time.
    unified = {
      timeout_s   = local._embedding_function_s
      environment = merge(local._tables, local._embedding, local._hot_window, local._bucket)
      policy      = merge(local._embeds, local._store_texts)
      tenant_policy = {
        DataKeys = local._data_keys
        Memory = {
          actions   = ["dynamodb:BatchWriteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
          resources = [local._memory]
        }
        Answers          = local._answers
        BucketsAndCounts = { actions = ["dynamodb:GetItem", "dynamodb:Query"], resources = [local._control] }
        Usage            = local._usage
        Archived         = local._archived
        Bodies           = local._bodies
        Uploads          = local._uploads
      }
    }

    # Removes all that an agent left, in every store and every version.
    privacy = {
      timeout_s   = 29
      environment = merge(local._tables, local._bucket)
      policy      = {}
      tenant_policy = {
        DataKeys = local._data_keys
        Memory   = { actions = ["dynamodb:BatchWriteItem", "dynamodb:Query", "dynamodb:UpdateItem"], resources = [local._memory] }
        BucketsAndMarks = {
          actions   = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:Query"]
          resources = [local._control]
        }
        Answers  = local._answers
        Usage    = local._usage
        Archive  = { actions = ["s3:ListBucketVersions"], resources = [module.archive.bucket_arn] }
        Archived = { actions = ["s3:DeleteObjectVersion"], resources = [module.archive.bucket_arn] }
      }
    }

    health = {
      timeout_s   = 20
      environment = merge(local._tables, local._bucket)
      policy = {
        Memory  = { actions = ["dynamodb:GetItem"], resources = [local._memory] }
        Control = { actions = ["dynamodb:GetItem"], resources = [local._control] }
        Archive = { actions = ["s3:ListBucket"], resources = [module.archive.bucket_arn] }
      }
      tenant_policy = null # whether the stores answer has nothing to do with tenants
    }
  }

  _database_functions = {
    for name, own in local._uses_of_database : name => {
      timeout_s     = own.timeout_s
      environment   = merge(local._database, local._access[var.connection].environment, own.environment)
      policy        = merge(local._access[var.connection].policy, own.policy)
      tenant_policy = own.tenant_policy
    }
  }
}

module "database_function" {
  source   = "../function"
  for_each = local._database_functions

  name                 = "${var.name}-${each.key}"
  handler              = "agent_memory.entrypoints.${each.key}.handler"
  artifact             = var.artifact
  architecture         = var.artifact.architecture
  environment          = each.value.environment
  policy               = each.value.policy
  tenant_policy        = each.value.tenant_policy
  tenant_sessions      = local._tenant_sessions.database_functions
  timeout_s            = each.value.timeout_s
  memory_mib           = var.functions.memory_mib
  reserved_concurrency = lookup(var.functions.reserved_concurrency, each.key, null)
  dead_letter_arn      = module.jobs.dead_letter_arn
  kms_key_arn          = local._kms_key_arn
  log_retention_days   = var.log_retention_days
  vpc                  = local._function_vpc
  tags                 = var.tags

  depends_on = [aws_lambda_invocation.schema]
}
