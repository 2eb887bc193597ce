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


run "no_statement_of_any_function_has_a_wildcard" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for f in merge(local._plain_functions, local._database_functions) : [
        for s in merge(f.policy, f.tenant_policy) : [[for a in s.actions : !strcontains(a, "*")], [for r in s.resources : r != "*" || can(length(s.reason))]]
      ]
    ]))
    error_message = "Actions and resources must be named."
  }
}

run "the_authorizer_reads_keys_limits_and_the_pepper_and_notes_when_a_key_was_used" {
  command = plan

  assert {
    condition = local._plain_functions.authorizer.policy == {
      DataKeys      = local._data_keys
      KeysAndLimits = { actions = ["dynamodb:GetItem"], resources = [local._control] }
      LastUse       = { actions = ["dynamodb:UpdateItem"], resources = [local._control] }
      Pepper        = { actions = ["ssm:GetParameter"], resources = ["arn:aws:ssm:eu-west-1:123456789012:parameter/memory/api-key-pepper"] }
    }
    error_message = "The authorizer must read keys, limits and pepper, and write nothing but a key's last use."
  }

  assert {
    condition = local._plain_functions.authorizer.environment == {
      CONTROL_TABLE    = "memory-control"
      LIMITS           = "{}"
      PEPPER_PARAMETER = "/memory/api-key-pepper"
    }
    error_message = "The authorizer needs to know of no memory."
  }
}

run "the_deployments_limits_are_told_to_the_authorizer_alone" {
  command = plan

  variables {
    limits = { requests_per_second = 20, vectors = 100000 }
  }

  assert {
    condition     = local._plain_functions.authorizer.environment.LIMITS == "{\"requests_per_second\":20,\"vectors\":100000}"
    error_message = "Limits must be told without those that are null."
  }

  assert {
    condition = [
      for name, f in merge(local._plain_functions, local._database_functions) : name if contains(keys(f.environment), "LIMITS")
    ] == ["authorizer", "ingest", "sweeper"] # which work for tenants without their requests
    error_message = "The others hear of them by the authorizer's context."
  }
}

run "keys_reaches_the_control_table_and_the_pepper_and_no_memory" {
  command = plan

  assert {
    condition = local._plain_functions.keys.policy == {
      DataKeys     = local._data_keys
      Keys         = { actions = ["dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], resources = [local._control] }
      KeysOfTenant = { actions = ["dynamodb:Query"], resources = ["${local._control}/index/by_tenant"] }
      Pepper       = { actions = ["ssm:GetParameter"], resources = ["arn:aws:ssm:eu-west-1:123456789012:parameter/memory/api-key-pepper"] }
    }
    error_message = "It makes, lists and revokes keys."
  }

  assert {
    condition     = toset(keys(local._plain_functions.keys.environment)) == toset(["CONTROL_TABLE", "PEPPER_PARAMETER"])
    error_message = "It needs to know of no memory."
  }
}

run "only_who_makes_or_judges_keys_reads_the_pepper" {
  command = plan

  assert {
    condition = [
      for name, f in merge(local._plain_functions, local._database_functions) : name
      if anytrue(flatten([for s in merge(f.policy, f.tenant_policy) : [for a in s.actions : startswith(a, "ssm:")]]))
    ] == ["authorizer", "keys"]
    error_message = "No other function may read parameters."
  }
}

run "only_the_schema_function_reads_the_master_secret_or_writes_secrets" {
  command = plan

  assert {
    condition = [
      for name, f in merge(local._plain_functions, local._database_functions) : name
      if anytrue(flatten([for s in merge(f.policy, f.tenant_policy) : [for r in s.resources : strcontains(r, ":secret:master")]]))
    ] == ["schema"]
    error_message = "The master secret must be the schema function's alone."
  }

  assert {
    condition     = local._plain_functions.schema.policy.NewPassword.resources == ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:app"]
    error_message = "It may fill the application's secret and no other."
  }
}

run "only_the_episodes_reach_the_indexes" {
  command = plan

  assert {
    condition = [
      for name, f in merge(local._plain_functions, local._database_functions) : name
      if anytrue(flatten([for s in merge(f.policy, f.tenant_policy) : [for r in s.resources : endswith(r, "/index/*")]]))
    ] == ["episodic"]
    error_message = "State is read by key, and whatever an agent did last by the agent."
  }

  assert {
    condition     = local._plain_functions.episodic.tenant_policy.MemoryIndexes.actions == ["dynamodb:Query"]
    error_message = "Indexes are queried, nothing else."
  }
}

run "semantic_binds_sessions_and_counts_and_reads_no_table" {
  command = plan

  assert {
    condition = {
      for name, s in merge(local._database_functions.semantic.policy, local._database_functions.semantic.tenant_policy) : name => s if anytrue([for a in s.actions : startswith(a, "dynamodb:")])
      } == {
      Answers          = { actions = ["dynamodb:PutItem"], resources = [local._control] }
      EmbeddingPlan    = { actions = ["dynamodb:GetItem"], resources = [local._control], leading_keys = ["EMBEDDINGS"] }
      Jobs             = { actions = ["dynamodb:GetItem"], resources = [local._control] }
      SubjectsAndNotes = { actions = ["dynamodb:PutItem", "dynamodb:UpdateItem"], resources = [local._memory] }
      Usage            = { actions = ["dynamodb:UpdateItem"], resources = [local._control] }
    }
    error_message = "What semantic memory stores is in PostgreSQL."
  }
}

run "knowledge_reads_states_binds_sessions_and_counts_and_leaves_jobs_behind" {
  command = plan

  assert {
    condition = local._uses_of_database.knowledge.tenant_policy == {
      DataKeys      = local._data_keys
      Answers       = { actions = ["dynamodb:PutItem"], resources = [local._control] }
      Jobs          = { actions = ["dynamodb:BatchWriteItem", "dynamodb:GetItem"], resources = [local._control] }
      LinksToStates = { actions = ["s3:GetObject"], resources = [module.archive.bucket_arn], within = "*/bodies/" }
      Memory        = { actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], resources = [local._memory] }
      Usage         = { actions = ["dynamodb:UpdateItem"], resources = [local._control] }
    }
    error_message = "What is known is in PostgreSQL, what is to be done in the control table; a state is read, and links to its value are signed."
  }

  assert {
    condition     = toset(keys(local._database_functions.knowledge.policy)) == toset(["Embed", "EmbeddingPlan", "Secret", "Statements"])
    error_message = "It asks the model and the database, each by one call."
  }
}

run "only_who_stores_texts_or_builds_the_schema_begins_transactions" {
  command = plan

  assert {
    condition = [
      for name, f in merge(local._plain_functions, local._database_functions) : name
      if anytrue(flatten([for s in merge(f.policy, f.tenant_policy) : [for a in s.actions : a == "rds-data:BeginTransaction"]]))
    ] == ["ingest", "schema", "semantic", "unified"]
    error_message = "Whoever else uses the database sends one statement at a time."
  }
}

run "requests_write_and_take_back_large_values_and_delete_nothing_else" {
  command = plan

  assert {
    condition = {
      for name, f in merge(local._plain_functions, local._database_functions) : name => [
        for s in f.tenant_policy : s.within
        if anytrue([for a in s.actions : startswith(a, "s3:Put") || startswith(a, "s3:Delete")]) && strcontains(jsonencode(s), "\"within\"")
      ] if name != "privacy" && f.tenant_policy != null && can(f.tenant_policy.Bodies)
    } == { episodic = ["*/bodies/"], unified = ["*/bodies/"], working = ["*/bodies/"] }
    error_message = "Whoever writes records may write their bodies, and no other object of a tenant's."
  }

  assert {
    condition = {
      for name, f in merge(local._plain_functions, local._database_functions) : name => f.tenant_policy.Uploads.actions if can(f.tenant_policy.Uploads)
    } == { episodic = ["s3:GetObject"], unified = ["s3:GetObject"], working = ["s3:GetObject", "s3:PutObject"] }
    error_message = "Uploads are read by whoever takes them, and written by links of the function that signs these."
  }

  assert {
    condition     = local._plain_functions.working.tenant_policy.Uploads.resources == ["arn:aws:s3:::mocked/!uploads"]
    error_message = "Uploads have a place of their own."
  }

  assert {
    condition     = !can(local._plain_functions.working.tenant_policy.Archived)
    error_message = "The function of states has no business in the cold tier."
  }
}

run "unified_deletes_no_record" {
  command = plan

  assert {
    condition     = !anytrue(flatten([for s in merge(local._database_functions.unified.policy, local._database_functions.unified.tenant_policy) : [for a in s.actions : strcontains(a, "Delete") && a != "s3:DeleteObjectVersion"]]))
    error_message = "It stores and reads."
  }
}

run "privacy_reaches_into_the_archive_only_to_delete" {
  command = plan

  assert {
    condition = [
      for name, f in merge(local._plain_functions, local._database_functions) : name
      if anytrue(flatten([for s in merge(f.policy, f.tenant_policy) : [for a in s.actions : startswith(a, "s3:") && strcontains(a, "Object")]]))
    ] == ["archiver", "episodic", "knowledge", "privacy", "sweeper", "unified", "working"]
    error_message = "No other function may touch an object."
  }

  assert {
    condition = (
      local._database_functions.privacy.tenant_policy.Archive == { actions = ["s3:ListBucketVersions"], resources = ["arn:aws:s3:::mocked"] }
      && local._database_functions.privacy.tenant_policy.Archived == { actions = ["s3:DeleteObjectVersion"], resources = ["arn:aws:s3:::mocked"] }
    )
    error_message = "Every version must be found and removed, and none be read."
  }
}

run "every_function_that_serves_requests_counts_them" {
  command = plan

  assert {
    condition = [
      for name, f in merge(local._plain_functions, local._database_functions) : name
      if anytrue([for s in merge(f.policy, f.tenant_policy) : contains(s.actions, "dynamodb:UpdateItem") && contains(s.resources, local._control)])
    ] == ["archiver", "authorizer", "episodic", "ingest", "keys", "knowledge", "privacy", "semantic", "sweeper", "unified", "working"] # the authorizer for a key's last use
    error_message = "Usage must come from counters, and only from functions that are used."
  }
}

run "only_the_sweeper_scans_a_table_and_only_that_of_memory" {
  command = plan

  assert {
    condition = flatten([
      for name, f in merge(local._plain_functions, local._database_functions) : [
        for s in merge(f.policy, f.tenant_policy) : [for a in s.actions : [name, s.resources] if a == "dynamodb:Scan"]
      ]
    ]) == ["sweeper", local._memory]
    error_message = "A scan sees every tenant."
  }
}

run "health_looks_at_every_store_and_changes_none" {
  command = plan

  assert {
    condition = local._database_functions.health.policy == {
      Memory     = { actions = ["dynamodb:GetItem"], resources = [local._memory] }
      Control    = { actions = ["dynamodb:GetItem"], resources = [local._control] }
      Archive    = { actions = ["s3:ListBucket"], resources = ["arn:aws:s3:::mocked"] }
      Statements = local._access.data_api.policy.Statements
      Secret     = local._access.data_api.policy.Secret
    }
    error_message = "Health must read only."
  }

  assert {
    condition     = toset(keys(local._uses_of_database.health.environment)) == toset(["ARCHIVE_BUCKET", "CONTROL_TABLE", "MEMORY_TABLE"])
    error_message = "Health must know both tables and the bucket."
  }
}
