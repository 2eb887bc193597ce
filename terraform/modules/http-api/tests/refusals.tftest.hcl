mock_provider "aws" {
  override_during = plan # so that a plan shows whole ARNs

  mock_resource "aws_apigatewayv2_api" {
    defaults = { id = "api1", execution_arn = "arn:aws:execute-api:eu-west-1:123456789012:api1" }
  }

  mock_resource "aws_apigatewayv2_authorizer" {
    defaults = { id = "auth1" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/vendedlogs/apis/memory" }
  }
}

variables {
  name = "memory"

  authorizer = {
    function_name = "memory-authorizer"
    invoke_arn    = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/memory-authorizer/invocations"
  }

  functions = {
    working = {
      function_name = "memory-working"
      invoke_arn    = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/memory-working/invocations"
    }
    health = {
      function_name = "memory-health"
      invoke_arn    = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/memory-health/invocations"
    }
  }

  routes = [
    { route = "POST /v1/state", function = "working", scope = "write" },
    { route = "GET /v1/state/{agent_id}", function = "working", scope = "read" },
    { route = "GET /v1/health", function = "health", scope = null },
    { route = "$default", function = "health", scope = null },
  ]
}


run "a_route_without_a_method_is_refused" {
  command         = plan
  expect_failures = [var.routes]

  variables {
    routes = [{ route = "$default", function = "health" }, { route = "/v1/state", function = "working", scope = "read" }]
  }
}

run "the_same_route_twice_is_refused" {
  command         = plan
  expect_failures = [var.routes]

  variables {
    routes = [{ route = "$default", function = "health" }, { route = "$default", function = "health" }]
  }
}

run "a_route_to_an_unknown_function_is_refused" {
  command         = plan
  expect_failures = [var.routes]

  variables {
    routes = [{ route = "$default", function = "health" }, { route = "GET /v1/facts", function = "knowledge", scope = "read" }]
  }
}

run "an_unknown_scope_is_refused" {
  command         = plan
  expect_failures = [var.routes]

  variables {
    routes = [{ route = "$default", function = "health" }, { route = "GET /v1/state/{agent_id}", function = "working", scope = "root" }]
  }
}

run "an_api_without_an_answer_for_unknown_paths_is_refused" {
  command         = plan
  expect_failures = [var.routes]

  variables {
    routes = [{ route = "GET /v1/health", function = "health" }]
  }
}

run "a_default_route_behind_the_authorizer_is_refused" {
  command         = plan
  expect_failures = [var.routes]

  variables {
    routes = [{ route = "$default", function = "health", scope = "read" }]
  }
}

run "an_authorizer_cached_for_an_hour_is_refused" {
  command         = plan
  expect_failures = [var.authorizer]

  variables {
    authorizer = { function_name = "memory-authorizer", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/f", ttl_s = 3600 }
  }
}

run "any_origin_is_refused" {
  command         = plan
  expect_failures = [var.cors]

  variables {
    cors = { origins = ["*"] }
  }
}

run "a_key_alias_is_refused" {
  command         = plan
  expect_failures = [var.kms_key_arn]

  variables {
    kms_key_arn = "alias/memory"
  }
}

run "a_log_retention_that_aws_does_not_offer_is_refused" {
  command         = plan
  expect_failures = [var.log_retention_days]

  variables {
    log_retention_days = 31
  }
}

run "a_name_with_a_slash_is_refused" {
  command         = plan
  expect_failures = [var.name]

  variables {
    name = "memory/api"
  }
}

run "a_throttle_of_zero_is_refused" {
  command         = plan
  expect_failures = [var.throttle]

  variables {
    throttle = { rate = 0 }
  }
}
