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


run "a_proxy_before_a_cluster_that_may_pause_is_refused" {
  command         = plan
  expect_failures = [var.database]

  variables {
    connection = "proxy"
    database   = { min_acu = 0 }
  }
}

run "a_proxy_on_another_port_is_refused" {
  command         = plan
  expect_failures = [var.database]

  variables {
    connection = "proxy"
    database   = { min_acu = 0.5, port = 5433 }
  }
}

run "a_context_that_no_store_can_answer_in_time_is_refused" {
  command         = plan
  expect_failures = [var.context]

  variables {
    context = { deadline_s = 0.1 }
  }
}

run "an_unknown_vector_index_is_refused" {
  command         = plan
  expect_failures = [var.vector_index]

  variables {
    vector_index = "ivfflat"
  }
}

run "an_unknown_connection_is_refused" {
  command         = plan
  expect_failures = [var.connection]

  variables {
    connection = "psql"
  }
}

run "a_direct_connection_without_a_way_to_dynamodb_is_refused" {
  command         = plan
  expect_failures = [var.network]

  variables {
    connection = "direct"
    network    = { existing = { subnet_ids = ["subnet-a", "subnet-b"], database_security_group_id = "sg-database", function_security_group_id = "sg-functions", endpoints = ["bedrock-runtime", "s3"] } }
  }
}

run "a_direct_connection_without_a_way_to_bedrock_is_refused" {
  command         = plan
  expect_failures = [var.network]

  variables {
    connection = "direct"
    network    = { existing = { subnet_ids = ["subnet-a", "subnet-b"], database_security_group_id = "sg-database", function_security_group_id = "sg-functions", endpoints = ["dynamodb", "s3"] } }
  }
}

run "a_proxy_without_a_way_to_bedrock_is_refused" {
  command         = plan
  expect_failures = [var.network]

  variables {
    connection = "proxy"
    database   = { min_acu = 0.5 }
    network    = { existing = { subnet_ids = ["subnet-a", "subnet-b"], database_security_group_id = "sg-database", function_security_group_id = "sg-functions", endpoints = ["dynamodb", "s3"] } }
  }
}

run "a_proxy_without_any_endpoint_is_refused" {
  command         = plan
  expect_failures = [var.network]

  variables {
    connection = "proxy"
    database   = { min_acu = 0.5 }
    network    = { existing = { subnet_ids = ["subnet-a", "subnet-b"], database_security_group_id = "sg-database", function_security_group_id = "sg-functions" } }
  }
}

run "a_direct_connection_without_a_group_for_functions_is_refused" {
  command         = plan
  expect_failures = [var.network]

  variables {
    connection = "direct"
    network    = { existing = { subnet_ids = ["subnet-a", "subnet-b"], database_security_group_id = "sg-database", endpoints = ["bedrock-runtime", "s3", "dynamodb"] } }
  }
}

run "an_endpoint_in_more_zones_than_there_are_is_refused" {
  command         = plan
  expect_failures = [var.network]

  variables {
    connection = "direct"
    network    = { az_count = 2, endpoint_az_count = 3 }
  }
}

run "an_hour_that_no_day_has_is_refused" {
  command         = plan
  expect_failures = [var.database]

  variables {
    database = { maintenance_hour_utc = 24 }
  }
}

run "half_an_hour_is_refused" {
  command         = plan
  expect_failures = [var.database]

  variables {
    database = { maintenance_hour_utc = 2.5 }
  }
}

run "an_artifact_in_two_places_is_refused" {
  command         = plan
  expect_failures = [var.artifact]

  variables {
    artifact = { path = "a.zip", bucket = "b", key = "k", sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", sql_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }
  }
}

run "an_artifact_in_no_place_is_refused" {
  command         = plan
  expect_failures = [var.artifact]

  variables {
    artifact = { sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", sql_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }
  }
}

run "a_schema_hash_that_is_none_is_refused" {
  command         = plan
  expect_failures = [var.artifact]

  variables {
    artifact = { path = "a.zip", sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", sql_sha256 = "new" }
  }
}

run "a_name_too_long_for_a_bucket_is_refused" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "memory-of-every-agent-we-have"
  }
}

run "a_name_in_upper_case_is_refused" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "Memory"
  }
}

run "a_pepper_version_of_zero_is_refused" {
  command         = plan
  expect_failures = [var.api]

  variables {
    api = { pepper_version = 0 }
  }
}

run "a_key_alias_is_refused" {
  command         = plan
  expect_failures = [var.encryption]

  variables {
    encryption = { kms_key_arn = "alias/memory" }
  }
}

run "reserved_concurrency_of_an_unknown_function_is_refused" {
  command         = plan
  expect_failures = [var.functions]

  variables {
    functions = { reserved_concurrency = { dreamer = 5 } }
  }
}

run "a_log_retention_that_aws_does_not_offer_is_refused" {
  command         = plan
  expect_failures = [var.log_retention_days]

  variables {
    log_retention_days = 31
  }
}

run "a_deployment_without_a_control_table_is_refused" {
  command         = plan
  expect_failures = [var.tables]

  variables {
    tables = { memory = {} }
  }
}

run "a_third_table_is_refused" {
  command         = plan
  expect_failures = [var.tables]

  variables {
    tables = { memory = {}, control = {}, more = {} }
  }
}

run "a_limit_that_is_no_whole_number_is_refused" {
  command         = plan
  expect_failures = [var.limits]

  variables {
    limits = { vectors = 0.5 }
  }
}

run "limits_that_lock_every_tenant_out_are_refused" {
  command         = plan
  expect_failures = [var.limits]

  variables {
    limits = { requests_per_second = 0 }
  }
}
