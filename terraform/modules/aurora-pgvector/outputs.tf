# Outputs wait for the instances: a cluster without a writer accepts no statement.

output "cluster_arn" {
  description = "ARN of the cluster, for the Data API."
  value       = aws_rds_cluster.main.arn
  depends_on  = [aws_rds_cluster_instance.main]
}

output "cluster_identifier" {
  description = "Name of the cluster."
  value       = aws_rds_cluster.main.cluster_identifier
  depends_on  = [aws_rds_cluster_instance.main]
}

output "cluster_resource_id" {
  description = "Id of the cluster that rds-db:connect names; a new cluster has a new one."
  value       = aws_rds_cluster.main.cluster_resource_id
  depends_on  = [aws_rds_cluster_instance.main]
}

output "endpoint" {
  description = "Host name of the writer."
  value       = var.endpoint_override != null ? var.endpoint_override : aws_rds_cluster.main.endpoint
  depends_on  = [aws_rds_cluster_instance.main]
}

output "reader_endpoint" {
  description = "Host name that spreads over the readers, or the writer where there are none."
  value       = var.endpoint_override != null ? var.endpoint_override : aws_rds_cluster.main.reader_endpoint
  depends_on  = [aws_rds_cluster_instance.main]
}

output "port" {
  description = "Port of the database."
  value       = aws_rds_cluster.main.port
  depends_on  = [aws_rds_cluster_instance.main]
}

output "database_name" {
  description = "Name of the database."
  value       = aws_rds_cluster.main.database_name
  depends_on  = [aws_rds_cluster_instance.main]
}

output "master_secret_arn" {
  description = "ARN of the secret, made and rotated by RDS, of the master user."
  value       = aws_rds_cluster.main.master_user_secret[0].secret_arn
  depends_on  = [aws_rds_cluster_instance.main]
}

output "app_secret_arn" {
  description = "ARN of the secret that the schema function fills for memory_app."
  value       = aws_secretsmanager_secret.app.arn
}

output "min_acu" {
  description = "Least capacity in ACU; 0 means that the cluster may pause."
  value       = var.capacity.min_acu
}
