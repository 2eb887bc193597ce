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


run "by_default_every_function_that_serves_a_tenant_takes_a_role_for_it" {
  command = plan

  assert {
    condition     = [for name, arn in output.tenant_roles : name if arn != null] == ["episodic", "ingest", "knowledge", "privacy", "semantic", "unified", "working"]
    error_message = "Outside a VPC IAM must keep tenants apart."
  }

  assert {
    condition     = toset(local._cross_tenant_functions) == toset(["archiver", "authorizer", "health", "keys", "relay", "schema", "sweeper"])
    error_message = "These work for every tenant or for none, and no other does."
  }
}

run "a_function_that_serves_a_tenant_touches_no_record_with_its_own_role" {
  command = plan

  assert {
    condition = [
      for name, f in local._all_functions : name
      if anytrue(flatten([for s in f.policy : [for a in s.actions : startswith(a, "dynamodb:") || startswith(a, "s3:")] if !can(s.leading_keys)]))
    ] == ["archiver", "authorizer", "health", "keys", "relay", "sweeper"]
    error_message = "Tables and bucket must be in tenant_policy."
  }
}

run "whoever_writes_items_for_a_tenant_has_data_keys_for_it" {
  command = plan

  assert {
    condition = alltrue([
      for name, f in local._all_functions : contains(keys(merge(f.tenant_policy, {})), "DataKeys") if f.tenant_policy != null
    ])
    error_message = "DynamoDB encrypts with the rights of whoever writes."
  }
}

run "in_a_vpc_without_an_endpoint_it_is_said_what_is_lost" {
  command         = plan
  expect_failures = [check.tenant_sessions]

  variables {
    connection = "direct"
  }

  assert {
    condition     = [for name, arn in output.tenant_roles : name if arn != null] == ["episodic", "working"]
    error_message = "Those outside the VPC reach STS all the same."
  }

  assert {
    condition     = local._without_sessions == toset(["ingest", "knowledge", "privacy", "semantic", "unified"])
    error_message = "The warning must name the others."
  }

  assert {
    condition     = module.network[0].interface_endpoint_services == ["bedrock-runtime"]
    error_message = "Nobody may pay for an endpoint without asking for it."
  }
}

run "sessions_in_a_created_vpc_bring_their_endpoint" {
  command = plan

  variables {
    connection      = "direct"
    tenant_sessions = true
  }

  assert {
    condition     = module.network[0].interface_endpoint_services == ["bedrock-runtime", "sts"] && length(local._without_sessions) == 0
    error_message = "Functions in the VPC must reach STS."
  }
}

run "an_endpoint_in_your_own_network_is_used_without_asking" {
  command = plan

  variables {
    connection = "direct"
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
    condition     = length(local._without_sessions) == 0
    error_message = "Where STS is in reach, sessions are on."
  }
}

run "sessions_without_an_endpoint_in_your_own_network_are_refused" {
  command         = plan
  expect_failures = [var.network]

  variables {
    connection      = "direct"
    tenant_sessions = true
    network = {
      existing = {
        subnet_ids                 = ["subnet-a", "subnet-b"]
        database_security_group_id = "sg-database"
        function_security_group_id = "sg-functions"
        endpoints                  = ["s3", "dynamodb", "bedrock-runtime"]
      }
    }
  }
}

run "switched_off_it_is_said_for_every_function" {
  command         = plan
  expect_failures = [check.tenant_sessions]

  variables {
    tenant_sessions = false
  }

  assert {
    condition = (
      local._without_sessions == toset(["episodic", "ingest", "knowledge", "privacy", "semantic", "unified", "working"])
      && alltrue([for arn in values(output.tenant_roles) : arn == null])
    )
    error_message = "No function may have a tenant role, and each be named."
  }
}

run "over_the_data_api_sessions_need_no_endpoint" {
  command = plan

  variables {
    tenant_sessions = true
  }

  assert {
    condition     = module.network[0].interface_endpoint_services == []
    error_message = "A VPC without functions needs no endpoint."
  }
}
