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


run "over_the_data_api_no_function_is_in_a_vpc" {
  command = plan

  assert {
    condition     = local._function_vpc == null && length(module.proxy) == 0
    error_message = "By default there must be neither functions in the VPC nor a proxy."
  }

  assert {
    condition = local._access[var.connection] == {
      environment = { DATABASE_APP_SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app" }
      policy = {
        Statements = {
          actions   = ["rds-data:ExecuteStatement"]
          resources = ["arn:aws:rds:eu-west-1:123456789012:cluster:memory-database"]
        }
        Secret = { actions = ["secretsmanager:GetSecretValue"], resources = ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:app"] }
      }
    }
    error_message = "Database functions must get the Data API and the application's secret."
  }
}

run "direct_connections_put_database_functions_in_the_vpc_and_log_in_with_iam" {
  command = plan

  variables {
    connection      = "direct"
    tenant_sessions = true
  }

  assert {
    condition     = length(local._function_vpc.subnet_ids) == 2 && length(module.proxy) == 0
    error_message = "Database functions must be in the created subnets, without a proxy."
  }

  assert {
    condition = local._access[var.connection] == {
      environment = {
        DATABASE_HOST = "memory-database.cluster-x.eu-west-1.rds.amazonaws.com"
        DATABASE_PORT = "5432"
        DATABASE_USER = "memory_app_iam"
      }
      policy = {
        Connect = {
          actions   = ["rds-db:connect"]
          resources = ["arn:aws:rds-db:eu-west-1:123456789012:dbuser:cluster-1/memory_app_iam"]
        }
      }
    }
    error_message = "Database functions must connect to the cluster as memory_app_iam, without a secret."
  }

  assert {
    condition     = module.network[0].interface_endpoint_services == ["bedrock-runtime", "sts"]
    error_message = "Functions in the VPC must reach the model and STS, and nothing else that costs money by the hour."
  }
}

run "over_the_data_api_no_endpoint_is_paid_for" {
  command = plan

  assert {
    condition     = module.network[0].interface_endpoint_services == []
    error_message = "A VPC without functions needs no endpoint."
  }
}

run "every_database_function_gets_the_way_of_the_connection" {
  command = plan

  variables {
    connection      = "proxy"
    tenant_sessions = true
    database        = { min_acu = 0.5 }
  }

  assert {
    condition     = keys(local._database_functions) == ["health", "ingest", "knowledge", "privacy", "semantic", "unified"]
    error_message = "These use PostgreSQL, and no other does."
  }

  assert {
    condition = alltrue([
      for f in local._database_functions : (
        f.policy.Connect.resources == ["arn:aws:rds-db:eu-west-1:123456789012:dbuser:prx-1/memory_app"]
        && f.environment.DATABASE_CONNECTION == "proxy" && f.environment.DATABASE_HOST == "memory.proxy-x.eu-west-1.rds.amazonaws.com"
      )
    ])
    error_message = "Each must be told of the proxy and be allowed to log in to it."
  }

  assert {
    condition     = module.network[0].interface_endpoint_services == ["bedrock-runtime", "sts"]
    error_message = "Functions in the VPC must reach the model and STS, and nothing else that costs money by the hour."
  }
}

run "through_a_proxy_functions_log_in_to_the_proxy" {
  command = plan

  variables {
    connection      = "proxy"
    tenant_sessions = true
    database        = { min_acu = 0.5 }
  }

  assert {
    condition     = length(local._function_vpc.subnet_ids) == 2 && length(module.proxy) == 1
    error_message = "Database functions must be in the VPC, in front of one proxy."
  }

  assert {
    condition = local._access[var.connection] == {
      environment = {
        DATABASE_APP_SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app"
        DATABASE_HOST           = "memory.proxy-x.eu-west-1.rds.amazonaws.com"
        DATABASE_PORT           = "5432"
        DATABASE_USER           = "memory_app"
      }
      policy = {
        Connect = { actions = ["rds-db:connect"], resources = ["arn:aws:rds-db:eu-west-1:123456789012:dbuser:prx-1/memory_app"] }
      }
    }
    error_message = "Database functions must connect to the proxy as memory_app."
  }
}

run "your_own_network_is_used_instead_of_a_created_one" {
  command = plan

  variables {
    connection      = "direct"
    tenant_sessions = true
    network = {
      existing = {
        subnet_ids                 = ["subnet-a", "subnet-b"]
        database_security_group_id = "sg-database"
        function_security_group_id = "sg-functions"
        endpoints                  = ["s3", "dynamodb", "bedrock-runtime", "sts"]
      }
    }
  }

  assert {
    condition     = length(module.network) == 0
    error_message = "No VPC may be created."
  }

  assert {
    condition     = toset(local._function_vpc.subnet_ids) == toset(["subnet-a", "subnet-b"]) && local._function_vpc.security_group_ids == ["sg-functions"]
    error_message = "Database functions must be in the subnets and the group given."
  }
}

run "over_the_data_api_your_own_network_needs_no_endpoint" {
  command = plan

  variables {
    network = {
      existing = { subnet_ids = ["subnet-a", "subnet-b"], database_security_group_id = "sg-database" }
    }
  }

  assert {
    condition     = local._function_vpc == null
    error_message = "The network is the database's alone."
  }
}

run "the_schema_function_uses_the_data_api_in_every_mode" {
  command = plan

  variables {
    connection      = "direct"
    tenant_sessions = true
  }

  assert {
    condition     = contains(keys(module.function), "schema") && !contains(keys(module.database_function), "schema")
    error_message = "The schema function must stay out of the VPC."
  }

  assert {
    condition = local._plain_functions.schema.environment == {
      DATABASE_CONNECTION        = "direct"
      DATABASE_NAME              = "memory"
      DATABASE_CLUSTER_ARN       = "arn:aws:rds:eu-west-1:123456789012:cluster:memory-database"
      DATABASE_APP_SECRET_ARN    = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app"
      DATABASE_MASTER_SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:master"
      VECTOR_INDEX               = "quantized"
    }
    error_message = "It must be told which login to enable, and use the Data API itself."
  }
}

run "a_change_of_schema_code_cluster_connection_or_vector_index_runs_the_schema_function_again" {
  command = plan

  assert {
    condition = aws_lambda_invocation.schema.lifecycle_scope == "CREATE_ONLY" && aws_lambda_invocation.schema.triggers == tomap({
      sql          = var.artifact.sql_sha256
      code         = var.artifact.sha256_base64
      cluster      = "cluster-1"
      connection   = "data_api"
      vector_index = "quantized"
    })
    error_message = "It must run when one of the five changes, and never on destroy."
  }

  assert {
    condition     = output.schema == { applied = 3 }
    error_message = "What it answered must be an output."
  }
}
