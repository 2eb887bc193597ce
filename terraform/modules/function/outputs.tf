# The function waits for its policy, so whoever reads an output of it may invoke it at once.
output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.main.function_name
}

output "function_arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.main.arn
}

output "invoke_arn" {
  description = "ARN by which API Gateway invokes the function."
  value       = aws_lambda_function.main.invoke_arn
}

output "log_group_name" {
  description = "Name of the function's log group."
  value       = aws_cloudwatch_log_group.main.name
}

output "tenant_role_arn" {
  description = "ARN of the role that the function takes for each tenant, with its policy attached; null without sessions."
  value       = one(aws_iam_role.tenant[*].arn)
  depends_on  = [aws_iam_role_policy.tenant]
}

output "role_arn" {
  description = "ARN of the role, with its policy attached."
  value       = aws_iam_role.main.arn
  depends_on  = [aws_iam_role_policy.main]
}

output "role_name" {
  description = "Name of the role, with its policy attached."
  value       = aws_iam_role.main.name
  depends_on  = [aws_iam_role_policy.main]
}
