mock_provider "aws" {
  override_during = plan # so that a plan shows both policies as a whole

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/memory-privacy" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/memory-privacy" }
  }
}

override_resource {
  target          = aws_iam_role.tenant
  override_during = plan
  values          = { arn = "arn:aws:iam::123456789012:role/memory-privacy-tenant" }
}

variables {
  name            = "memory-privacy"
  handler         = "agent_memory.entrypoints.privacy.handler"
  dead_letter_arn = "arn:aws:sqs:eu-west-1:123456789012:memory-dead-letters"
  environment     = { MEMORY_TABLE = "memory" }
  policy          = {}
  artifact = {
    path          = "tests/artifact.zip" # never opened
    sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
  }
  tenant_policy = {
    Memory = {
      actions   = ["dynamodb:Query", "dynamodb:BatchWriteItem"]
      resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/memory", "arn:aws:dynamodb:eu-west-1:123456789012:table/memory/index/*"]
    }
    Versions = { actions = ["s3:ListBucketVersions"], resources = ["arn:aws:s3:::archive"] }
    Archived = { actions = ["s3:DeleteObject", "s3:DeleteObjectVersion"], resources = ["arn:aws:s3:::archive"] }
    Bodies   = { actions = ["s3:PutObject"], resources = ["arn:aws:s3:::archive"], within = "*/bodies/" }
    Uploads  = { actions = ["s3:GetObject"], resources = ["arn:aws:s3:::archive/!uploads"] }
    DataKeys = { actions = ["kms:GenerateDataKey"], resources = ["arn:aws:kms:eu-west-1:123456789012:key/1"] }
  }
}


run "the_tenants_role_reaches_the_tenants_own_keys_and_objects" {
  command = plan

  assert {
    condition = { for s in jsondecode(aws_iam_role_policy.tenant[0].policy).Statement : s.Sid => s } == {
      Memory = {
        Sid      = "Memory"
        Effect   = "Allow"
        Action   = ["dynamodb:BatchWriteItem", "dynamodb:Query"]
        Resource = ["arn:aws:dynamodb:eu-west-1:123456789012:table/memory", "arn:aws:dynamodb:eu-west-1:123456789012:table/memory/index/*"]
        Condition = {
          "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["$${aws:PrincipalTag/tenant_id}#*"] }
          Null                      = { "dynamodb:LeadingKeys" = "false" }
        }
      }
      Versions = {
        Sid       = "Versions"
        Effect    = "Allow"
        Action    = ["s3:ListBucketVersions"]
        Resource  = ["arn:aws:s3:::archive"]
        Condition = { StringLike = { "s3:prefix" = ["$${aws:PrincipalTag/tenant_id}/*"] } }
      }
      Archived = {
        Sid      = "Archived"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
        Resource = ["arn:aws:s3:::archive/$${aws:PrincipalTag/tenant_id}/*"]
      }
      Bodies = {
        Sid      = "Bodies"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = ["arn:aws:s3:::archive/$${aws:PrincipalTag/tenant_id}/*/bodies/*"]
      }
      Uploads = {
        Sid      = "Uploads"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["arn:aws:s3:::archive/!uploads/$${aws:PrincipalTag/tenant_id}/*"]
      }
      DataKeys = {
        Sid      = "DataKeys"
        Effect   = "Allow"
        Action   = ["kms:GenerateDataKey"]
        Resource = ["arn:aws:kms:eu-west-1:123456789012:key/1"]
      }
    }
    error_message = "Every statement must be narrowed to the tenant that the session is tagged with."
  }
}

run "only_the_functions_own_role_takes_it_and_names_the_tenant" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.tenant[0].assume_role_policy).Statement == [{
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Principal = { AWS = "arn:aws:iam::123456789012:role/memory-privacy" }
      Condition = {
        StringLike = { "aws:RequestTag/tenant_id" = "?*" }
        StringNotLike = {
          "aws:RequestTag/tenant_id" = [
            "* *", "*_*", "*.*", "*:*", "*/*", "*=*", "*+*", "*@*",
            "*A*", "*B*", "*C*", "*D*", "*E*", "*F*", "*G*", "*H*", "*I*", "*J*", "*K*", "*L*", "*M*",
            "*N*", "*O*", "*P*", "*Q*", "*R*", "*S*", "*T*", "*U*", "*V*", "*W*", "*X*", "*Y*", "*Z*",
            "????????????????????????????????????????????????????????????????*",
          ]
        }
        "ForAllValues:StringEquals" = { "aws:TagKeys" = ["tenant_id"] }
        Null                        = { "aws:TagKeys" = "false" }
      }
    }]
    error_message = "Nobody else may take the role, and nobody without the tenant's id or with another tag."
  }
}

run "the_function_itself_may_take_the_role_and_touch_no_record" {
  command = plan

  assert {
    condition     = jsondecode(aws_iam_role_policy.main.policy).Statement[*].Sid == ["DeadLetter", "Logs", "TakeTenantRole", "Traces"]
    error_message = "Nothing of tenant_policy may be in the function's own policy."
  }

  assert {
    condition = one([for s in jsondecode(aws_iam_role_policy.main.policy).Statement : s if s.Sid == "TakeTenantRole"]) == {
      Sid      = "TakeTenantRole"
      Effect   = "Allow"
      Action   = ["sts:AssumeRole", "sts:TagSession"]
      Resource = ["arn:aws:iam::123456789012:role/memory-privacy-tenant"]
    }
    error_message = "It may take its own tenant role and no other."
  }

  assert {
    condition = aws_lambda_function.main.environment[0].variables == tomap({
      MEMORY_TABLE    = "memory"
      TENANT_ROLE_ARN = "arn:aws:iam::123456789012:role/memory-privacy-tenant"
    })
    error_message = "It must be told of the role."
  }
}

run "the_key_of_the_function_decrypts_for_the_tenant_too" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1"
  }

  assert {
    condition = one([for s in jsondecode(aws_iam_role_policy.tenant[0].policy).Statement : s if s.Sid == "Decrypt"]) == {
      Sid      = "Decrypt"
      Effect   = "Allow"
      Action   = ["kms:Decrypt"]
      Resource = ["arn:aws:kms:eu-west-1:123456789012:key/1"]
    }
    error_message = "Tables and bucket decrypt with the rights of whoever reads."
  }
}

run "without_sessions_the_function_reaches_every_tenant_itself" {
  command = plan

  variables {
    tenant_sessions = false
  }

  assert {
    condition     = length(aws_iam_role.tenant) == 0 && length(aws_iam_role_policy.tenant) == 0 && output.tenant_role_arn == null
    error_message = "There must be no role that nobody takes."
  }

  assert {
    condition = { for s in jsondecode(aws_iam_role_policy.main.policy).Statement : s.Sid => s.Resource } == {
      Archived   = ["arn:aws:s3:::archive/*"]
      Bodies     = ["arn:aws:s3:::archive/*/*/bodies/*"]
      DataKeys   = ["arn:aws:kms:eu-west-1:123456789012:key/1"]
      DeadLetter = ["arn:aws:sqs:eu-west-1:123456789012:memory-dead-letters"]
      Logs       = ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/memory-privacy:*"]
      Memory     = ["arn:aws:dynamodb:eu-west-1:123456789012:table/memory", "arn:aws:dynamodb:eu-west-1:123456789012:table/memory/index/*"]
      Traces     = ["*"]
      Uploads    = ["arn:aws:s3:::archive/!uploads/*"]
      Versions   = ["arn:aws:s3:::archive"]
    }
    error_message = "The statements must be the function's own, objects in full."
  }

  assert {
    condition     = !contains(keys(aws_lambda_function.main.environment[0].variables), "TENANT_ROLE_ARN")
    error_message = "What is not there must not be tried."
  }
}

run "a_function_for_no_tenant_has_no_tenant_role" {
  command = plan

  variables {
    tenant_policy = null
  }

  assert {
    condition     = length(aws_iam_role.tenant) == 0 && jsondecode(aws_iam_role_policy.main.policy).Statement[*].Sid == ["DeadLetter", "Logs", "Traces"]
    error_message = "It must have its own role and nothing to take."
  }
}

run "a_scan_is_refused" {
  command         = plan
  expect_failures = [var.tenant_policy]

  variables {
    tenant_policy = { Memory = { actions = ["dynamodb:Scan"], resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/memory"] } }
  }
}

run "partiql_is_refused" {
  command         = plan
  expect_failures = [var.tenant_policy]

  variables {
    tenant_policy = { Memory = { actions = ["dynamodb:PartiQLSelect"], resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/memory"] } }
  }
}

run "what_cannot_be_narrowed_to_a_tenant_is_refused" {
  command         = plan
  expect_failures = [var.tenant_policy]

  variables {
    tenant_policy = { Queue = { actions = ["sqs:SendMessage"], resources = ["arn:aws:sqs:eu-west-1:123456789012:jobs"] } }
  }
}

run "two_kinds_in_one_statement_are_refused" {
  command         = plan
  expect_failures = [var.tenant_policy]

  variables {
    tenant_policy = { Archive = { actions = ["s3:ListBucket", "s3:GetObject"], resources = ["arn:aws:s3:::archive"] } }
  }
}

run "objects_named_by_the_caller_are_refused" {
  command         = plan
  expect_failures = [var.tenant_policy]

  variables {
    tenant_policy = { Archive = { actions = ["s3:GetObject"], resources = ["arn:aws:s3:::archive/*"] } }
  }
}

run "a_place_that_a_tenant_could_be_called_is_refused" {
  command = plan

  variables {
    tenant_policy = { Objects = { actions = ["s3:GetObject"], resources = ["arn:aws:s3:::archive/uploads"] } }
  }

  expect_failures = [var.tenant_policy]
}

run "a_folder_for_what_is_no_object_is_refused" {
  command = plan

  variables {
    tenant_policy = { Listing = { actions = ["s3:ListBucket"], resources = ["arn:aws:s3:::archive"], within = "bodies/" } }
  }

  expect_failures = [var.tenant_policy]
}

run "a_folder_that_ends_nowhere_is_refused" {
  command = plan

  variables {
    tenant_policy = { Objects = { actions = ["s3:GetObject"], resources = ["arn:aws:s3:::archive"], within = "*" } }
  }

  expect_failures = [var.tenant_policy]
}

run "every_table_is_refused" {
  command         = plan
  expect_failures = [var.tenant_policy]

  variables {
    tenant_policy = { Memory = { actions = ["dynamodb:GetItem"], resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/*"] } }
  }
}

run "a_wildcard_among_a_tenants_actions_is_refused" {
  command         = plan
  expect_failures = [var.tenant_policy]

  variables {
    tenant_policy = { Memory = { actions = ["kms:*"], resources = ["arn:aws:kms:eu-west-1:123456789012:key/1"] } }
  }
}

run "a_statement_in_both_policies_is_refused" {
  command         = plan
  expect_failures = [var.tenant_policy]

  variables {
    policy        = { Memory = { actions = ["dynamodb:GetItem"], resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/memory"] } }
    tenant_policy = { Memory = { actions = ["dynamodb:GetItem"], resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/memory"] } }
  }
}

run "a_name_too_long_for_the_second_role_is_refused" {
  command         = plan
  expect_failures = [var.tenant_sessions]

  variables {
    name = "a123456789b123456789c123456789d123456789e123456789f1234567"
  }
}
