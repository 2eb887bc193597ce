output "api_url" {
  description = "URL of the API; routes begin with /v1."
  value       = module.api.api_url
}

output "api_id" {
  description = "Id of the HTTP API."
  value       = module.api.api_id
}

output "admin_environment" {
  description = "Environment of the command for keys, tenants, the archive, jobs, embeddings and procedures."
  value = merge(local._embedding, local._database, local._access[var.connection].environment, {
    AWS_REGION            = local._region
    ARCHIVE_BUCKET        = module.archive.bucket_name
    ARCHIVER_FUNCTION     = module.function["archiver"].function_name
    CONTROL_TABLE         = module.table["control"].table_name
    DEAD_JOBS_URL         = module.jobs.dead_letter_url
    FAILED_RECORDS_BUCKET = module.failed_records.bucket_name
    INGEST_FUNCTION       = module.database_function["ingest"].function_name
    JOB_QUEUE_URL         = module.jobs.queue_url
    MEMORY_TABLE          = module.table["memory"].table_name
    PEPPER_PARAMETER      = aws_ssm_parameter.pepper.name
    SWEEPER_FUNCTION      = module.function["sweeper"].function_name
  })
}

output "alarm_arns" {
  description = "ARNs of the alarms, by what they watch; null when there are none."
  value       = one(module.observability[*].alarm_arns)
}

output "analytics" {
  description = "Database, table and workgroup of Athena, and the bucket of its results; null when there are none."
  value       = one(module.analytics[*])
}

output "archive" {
  description = "Name and ARN of the bucket."
  value       = { bucket_name = module.archive.bucket_name, bucket_arn = module.archive.bucket_arn }
}

output "database" {
  description = "The cluster, how to reach it and the ARNs of its secrets."
  value = {
    cluster_arn       = module.database.cluster_arn
    name              = module.database.database_name
    host              = module.database.endpoint
    port              = module.database.port
    master_secret_arn = module.database.master_secret_arn
    app_secret_arn    = module.database.app_secret_arn
  }
}

output "dead_letter_queue_url" {
  description = "URL of the queue with events and jobs that no function could process."
  value       = module.jobs.dead_letter_url
}

output "event_source_mapping_id" {
  description = "Id of what hands the memory table's stream to the archiver; disabled, episodes stay in the table."
  value       = aws_lambda_event_source_mapping.archiver.uuid
}

output "failed_records" {
  description = "Name and ARN of the bucket with changes that the archiver could not process, for 30 days."
  value       = { bucket_name = module.failed_records.bucket_name, bucket_arn = module.failed_records.bucket_arn }
}

output "function_names" {
  description = "Names of the functions, by role."
  value       = { for role, function in local._functions : role => function.function_name }
}

output "job_queue_url" {
  description = "URL of the queue of jobs."
  value       = module.jobs.queue_url
}

output "kms_key_arn" {
  description = "ARN of the key that encrypts everything stored."
  value       = local._kms_key_arn
}

output "schema" {
  description = "What the schema function answered: versions and counts."
  value       = jsondecode(aws_lambda_invocation.schema.result)
}

output "tenant_roles" {
  description = "ARN of the role that each function takes for one tenant at a time; null for those whose own role reaches every tenant's records."
  value       = { for role, function in local._functions : role => function.tenant_role_arn }
}

output "tables" {
  description = "Name, ARN and stream of the tables, by role."
  value = {
    for role, table in module.table : role => { name = table.table_name, arn = table.table_arn, stream_arn = table.stream_arn }
  }
}
