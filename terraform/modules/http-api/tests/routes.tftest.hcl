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


run "a_route_with_a_scope_asks_the_authorizer" {
  command = plan

  assert {
    condition     = toset(keys(aws_apigatewayv2_route.keyed)) == toset(["POST /v1/state", "GET /v1/state/{agent_id}"])
    error_message = "Routes with a scope, and only those, must be keyed."
  }

  assert {
    condition = alltrue([
      for r in aws_apigatewayv2_route.keyed : r.authorization_type == "CUSTOM" && r.authorizer_id == "auth1"
    ])
    error_message = "A keyed route must ask the authorizer."
  }
}

run "an_open_route_has_no_authorizer" {
  command = plan

  assert {
    condition     = toset(keys(aws_apigatewayv2_route.open)) == toset(["$default", "GET /v1/health"])
    error_message = "Routes without a scope must be open, $default among them."
  }

  assert {
    condition     = alltrue([for r in aws_apigatewayv2_route.open : r.authorization_type == "NONE" && r.authorizer_id == null])
    error_message = "An open route must have no authorizer."
  }
}

run "the_authorizer_answers_by_header_and_is_cached_for_a_minute" {
  command = plan

  assert {
    condition = (
      aws_apigatewayv2_authorizer.main.authorizer_type == "REQUEST"
      && aws_apigatewayv2_authorizer.main.authorizer_payload_format_version == "2.0"
      && aws_apigatewayv2_authorizer.main.enable_simple_responses
      && aws_apigatewayv2_authorizer.main.identity_sources == toset(["$request.header.Authorization"])
    )
    error_message = "The authorizer must be a REQUEST authorizer 2.0 with simple responses, cached by the Authorization header."
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.main.authorizer_result_ttl_in_seconds == 60
    error_message = "A revoked key may work for a minute at most."
  }
}

run "every_function_is_reached_by_one_integration_that_ends_before_the_gateway_does" {
  command = plan

  assert {
    condition     = toset(keys(aws_apigatewayv2_integration.main)) == toset(["working", "health"])
    error_message = "There must be one integration per function."
  }

  assert {
    condition = alltrue([
      for i in aws_apigatewayv2_integration.main :
      i.integration_type == "AWS_PROXY" && i.payload_format_version == "2.0" && i.timeout_milliseconds <= 29000
    ])
    error_message = "Integrations must be AWS_PROXY 2.0 and end within 29 s."
  }
}

run "no_other_api_may_call_the_functions" {
  command = plan

  assert {
    condition = { for p in aws_lambda_permission.function : p.function_name => p.source_arn } == {
      memory-working = "arn:aws:execute-api:eu-west-1:123456789012:api1/*/*"
      memory-health  = "arn:aws:execute-api:eu-west-1:123456789012:api1/*/*"
    }
    error_message = "Each function may be called by the routes of this API only."
  }

  assert {
    condition     = aws_lambda_permission.authorizer.source_arn == "arn:aws:execute-api:eu-west-1:123456789012:api1/authorizers/auth1"
    error_message = "The authorizer may be called as an authorizer only."
  }
}

run "the_access_log_holds_nothing_that_a_caller_sent" {
  command = plan

  assert {
    condition = toset(values(jsondecode(aws_apigatewayv2_stage.main.access_log_settings[0].format))) == toset([
      "$context.requestId",
      "$context.requestTimeEpoch",
      "$context.routeKey",
      "$context.status",
      "$context.error.responseType",
      "$context.responseLatency",
      "$context.responseLength",
      "$context.integrationStatus",
      "$context.integrationLatency",
    ])
    error_message = "Only these fields are known to be free of content, ids and addresses."
  }
}

run "the_stage_throttles" {
  command = plan

  variables {
    throttle = { rate = 7, burst = 9 }
  }

  assert {
    condition = (
      aws_apigatewayv2_stage.main.default_route_settings[0].throttling_rate_limit == 7
      && aws_apigatewayv2_stage.main.default_route_settings[0].throttling_burst_limit == 9
    )
    error_message = "The limits given must hold for every route."
  }
}

run "no_web_page_may_call_the_api_by_default" {
  command = plan

  assert {
    condition     = length(aws_apigatewayv2_api.main.cors_configuration) == 0
    error_message = "CORS must be off unless origins are given."
  }
}

run "pages_of_the_origins_given_may_call_the_api" {
  command = plan

  variables {
    cors = { origins = ["https://app.example.org"] }
  }

  assert {
    condition = (
      aws_apigatewayv2_api.main.cors_configuration[0].allow_origins == toset(["https://app.example.org"])
      && aws_apigatewayv2_api.main.cors_configuration[0].allow_methods == toset(["GET", "POST"])
      && contains(aws_apigatewayv2_api.main.cors_configuration[0].allow_headers, "authorization")
    )
    error_message = "The origin must be let in with the routes' methods and our headers."
  }
}
