locals {
  _routes = { for r in var.routes : r.route => r }
  _keyed  = { for key, r in local._routes : key => r if r.scope != null }
  _open   = { for key, r in local._routes : key => r if r.scope == null }

  _methods = sort(distinct([for key in keys(local._routes) : split(" ", key)[0] if key != "$default"]))
}

resource "aws_apigatewayv2_api" "main" {
  name          = var.name
  protocol_type = "HTTP"
  tags          = var.tags

  dynamic "cors_configuration" {
    for_each = var.cors[*]

    content {
      allow_origins  = cors_configuration.value.origins
      allow_methods  = local._methods
      allow_headers  = ["authorization", "content-type", "idempotency-key"]
      expose_headers = ["idempotency-replayed", "retry-after"]
      max_age        = cors_configuration.value.max_age_s
    }
  }
}

# It only authenticates: what a caller may do differs by route, and one cached answer serves them all.
resource "aws_apigatewayv2_authorizer" "main" {
  name                              = var.name
  api_id                            = aws_apigatewayv2_api.main.id
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = var.authorizer.invoke_arn
  authorizer_payload_format_version = "2.0"
  authorizer_result_ttl_in_seconds  = var.authorizer.ttl_s
  enable_simple_responses           = true
  identity_sources                  = ["$request.header.Authorization"]
}

resource "aws_apigatewayv2_integration" "main" {
  for_each = var.functions

  api_id                 = aws_apigatewayv2_api.main.id
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = each.value.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 29000 # the gateway itself gives up at 30 s, with a body of its own
}

resource "aws_apigatewayv2_route" "keyed" {
  for_each = local._keyed

  api_id             = aws_apigatewayv2_api.main.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.main[each.value.function].id}"
  authorization_type = "CUSTOM"
  authorizer_id      = aws_apigatewayv2_authorizer.main.id
}

resource "aws_apigatewayv2_route" "open" {
  #checkov:skip=CKV_AWS_309:Only routes whose scope is null: the liveness probe, and $default, which answers 404.
  #checkov:skip=CKV2_AGENTMEM_12:Only routes whose scope is null: the liveness probe, and $default, which answers 404.
  for_each = local._open

  api_id             = aws_apigatewayv2_api.main.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.main[each.value.function].id}"
  authorization_type = "NONE"
}

resource "aws_apigatewayv2_stage" "main" {
  name        = "$default"
  api_id      = aws_apigatewayv2_api.main.id
  auto_deploy = true
  tags        = var.tags

  default_route_settings {
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
  }

  # The route's template, never the path; no query, header, body or address: nothing here is about a person.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      request_id             = "$context.requestId"
      requested_at_ms        = "$context.requestTimeEpoch"
      route                  = "$context.routeKey"
      status                 = "$context.status"
      error_type             = "$context.error.responseType"
      latency_ms             = "$context.responseLatency"
      integration_status     = "$context.integrationStatus"
      integration_latency_ms = "$context.integrationLatency"
      response_bytes         = "$context.responseLength"
    })
  }
}

# Log groups under this prefix need no entry in the account's log resource policy, which holds only a few.
resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_338:An access log is for operating the service; a month answers what anybody asks of it.
  #checkov:skip=CKV_AWS_158:The key is the caller's choice; agent-memory always passes one.
  name              = "/aws/vendedlogs/apis/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_lambda_permission" "function" {
  for_each = var.functions

  statement_id  = "api"
  function_name = each.value.function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.main.execution_arn}/*/*"
}

resource "aws_lambda_permission" "authorizer" {
  statement_id  = "authorizer"
  function_name = var.authorizer.function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.main.execution_arn}/authorizers/${aws_apigatewayv2_authorizer.main.id}"
}
