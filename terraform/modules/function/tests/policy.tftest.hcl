mock_provider "aws" {
  override_during = plan # so that a plan shows the policy as a whole

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/memory-working" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/memory-working" }
  }
}

variables {
  name            = "memory-working"
  handler         = "agent_memory.entrypoints.working.handler"
  dead_letter_arn = "arn:aws:sqs:eu-west-1:123456789012:memory-dead-letters"
  policy          = {}
  artifact = {
    path          = "tests/artifact.zip" # never opened
    sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
  }
}


run "a_function_may_write_its_logs_and_traces_and_no_more" {
  command = plan

  assert {
    condition     = jsondecode(aws_iam_role_policy.main.policy).Statement[*].Sid == ["DeadLetter", "Logs", "Traces"]
    error_message = "An empty policy must leave logs, traces and dead letters only."
  }

  assert {
    condition = [for s in jsondecode(aws_iam_role_policy.main.policy).Statement : s.Resource if s.Sid == "Logs"] == [
      ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/memory-working:*"]
    ]
    error_message = "A function may write to its own log group only."
  }
}

run "only_lambda_takes_the_role" {
  command = plan

  assert {
    condition     = jsondecode(aws_iam_role.main.assume_role_policy).Statement[0].Principal == { Service = "lambda.amazonaws.com" }
    error_message = "Nobody but Lambda may take the role."
  }
}

run "statements_are_taken_over_as_they_are" {
  command = plan

  variables {
    policy = {
      Memory = {
        actions   = ["dynamodb:PutItem", "dynamodb:GetItem"]
        resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/memory"]
      }
    }
  }

  assert {
    condition = [for s in jsondecode(aws_iam_role_policy.main.policy).Statement : s if s.Sid == "Memory"] == [{
      Sid      = "Memory"
      Effect   = "Allow"
      Action   = ["dynamodb:GetItem", "dynamodb:PutItem"]
      Resource = ["arn:aws:dynamodb:eu-west-1:123456789012:table/memory"]
    }]
    error_message = "The statement must arrive in the role's policy unchanged."
  }
}

run "a_key_may_be_used_to_decrypt" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1"
  }

  assert {
    condition = [for s in jsondecode(aws_iam_role_policy.main.policy).Statement : s if s.Sid == "Decrypt"] == [{
      Sid      = "Decrypt"
      Effect   = "Allow"
      Action   = ["kms:Decrypt"]
      Resource = ["arn:aws:kms:eu-west-1:123456789012:key/1"]
    }]
    error_message = "The function must be able to read its own environment."
  }
}

run "code_in_a_vpc_cannot_change_the_network" {
  command = plan

  variables {
    vpc = { subnet_ids = ["subnet-a"], security_group_ids = ["sg-functions"] }
  }

  assert {
    condition = (
      one([for s in jsondecode(aws_iam_role_policy.main.policy).Statement : s.Action if s.Sid == "NetworkInterfaces"])
      == one([for s in jsondecode(aws_iam_role_policy.main.policy).Statement : s.Action if s.Effect == "Deny"])
    )
    error_message = "What Lambda needs for network interfaces must be denied to the function's own code."
  }

  assert {
    condition = one([for s in jsondecode(aws_iam_role_policy.main.policy).Statement : s.Condition if s.Effect == "Deny"]) == {
      ArnLike = { "lambda:SourceFunctionArn" = "arn:*:lambda:*:*:function:memory-working" }
    }
    error_message = "The denial must be for calls from inside the function only."
  }
}

run "an_action_with_a_wildcard_is_refused" {
  command         = plan
  expect_failures = [var.policy]

  variables {
    policy = { Memory = { actions = ["dynamodb:*"], resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/memory"] } }
  }
}

run "every_resource_without_a_reason_is_refused" {
  command         = plan
  expect_failures = [var.policy]

  variables {
    policy = { Memory = { actions = ["dynamodb:GetItem"], resources = ["*"] } }
  }
}

run "every_resource_with_a_reason_is_accepted" {
  command = plan

  variables {
    policy = {
      Costs = { actions = ["ce:GetCostAndUsage"], resources = ["*"], reason = "Cost Explorer has no resources." }
    }
  }
}

run "a_statement_without_actions_is_refused" {
  command         = plan
  expect_failures = [var.policy]

  variables {
    policy = { Memory = { actions = [], resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/memory"] } }
  }
}

run "a_statement_name_that_is_no_sid_is_refused" {
  command         = plan
  expect_failures = [var.policy]

  variables {
    policy = { my-table = { actions = ["dynamodb:GetItem"], resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/memory"] } }
  }
}

run "a_statement_that_would_replace_the_modules_own_is_refused" {
  command         = plan
  expect_failures = [var.policy]

  variables {
    policy = { Logs = { actions = ["logs:PutLogEvents"], resources = ["arn:aws:logs:eu-west-1:123456789012:log-group:other:*"] } }
  }
}

run "a_statement_can_be_narrowed_to_items" {
  command = plan

  variables {
    policy = {
      Plan = {
        actions      = ["dynamodb:GetItem"]
        resources    = ["arn:aws:dynamodb:eu-west-1:123456789012:table/control"]
        leading_keys = ["EMBEDDINGS"]
      }
    }
  }

  assert {
    condition = [for s in jsondecode(aws_iam_role_policy.main.policy).Statement : s.Condition if s.Sid == "Plan"] == [{
      "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["EMBEDDINGS"] }
      Null                        = { "dynamodb:LeadingKeys" = "false" }
    }]
    error_message = "IAM must look at the partition key, and there must be one."
  }
}
