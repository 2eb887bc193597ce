# Outputs wait for the target: a proxy without one refuses every connection.

output "endpoint" {
  description = "Host name of the proxy."
  value       = aws_db_proxy.main.endpoint
  depends_on  = [aws_db_proxy_target.main]
}

output "proxy_arn" {
  description = "ARN of the proxy."
  value       = aws_db_proxy.main.arn
  depends_on  = [aws_db_proxy_target.main]
}

output "proxy_resource_id" {
  description = "Id of the proxy (prx-...) that rds-db:connect names."
  value       = element(split(":", aws_db_proxy.main.arn), 6)
  depends_on  = [aws_db_proxy_target.main]
}
