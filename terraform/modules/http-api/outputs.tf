output "api_url" {
  description = "URL that the routes hang under, once stage, routes and permissions are there."
  value       = aws_apigatewayv2_api.main.api_endpoint
  depends_on = [
    aws_apigatewayv2_route.keyed,
    aws_apigatewayv2_route.open,
    aws_apigatewayv2_stage.main,
    aws_lambda_permission.authorizer,
    aws_lambda_permission.function,
  ]
}

output "api_id" {
  description = "Id of the API."
  value       = aws_apigatewayv2_api.main.id
}

output "execution_arn" {
  description = "ARN under which the API invokes functions."
  value       = aws_apigatewayv2_api.main.execution_arn
}

output "stage_name" {
  description = "Name of the only stage."
  value       = aws_apigatewayv2_stage.main.name
}
