output "database_name" {
  description = "Name of the Glue database."
  value       = aws_glue_catalog_database.main.name
}

output "table_name" {
  description = "Name of the table in it."
  value       = aws_glue_catalog_table.episodes.name
}

output "workgroup_name" {
  description = "Name of the Athena workgroup to ask in."
  value       = aws_athena_workgroup.main.name
}

output "results_bucket_name" {
  description = "Name of the bucket with results of queries."
  value       = module.results.bucket_name
}
