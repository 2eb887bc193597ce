resource "aws_rds_cluster_parameter_group" "main" {
  name        = var.name
  description = "Settings of ${var.name}."
  family      = "aurora-postgresql16"
  tags        = var.tags

  dynamic "parameter" {
    for_each = {
      "rds.force_ssl" = 1

      # A frozen function keeps its connection open, and an open connection keeps the cluster from pausing.
      idle_session_timeout = var.capacity.min_acu == 0 ? 60000 : 900000

      # Statements are logged, what they carry is not: no parameter, and no row quoted in the detail of an error.
      log_statement                     = "ddl"
      log_min_duration_statement        = coalesce(one(var.log_exports[*].slow_statement_ms), -1)
      log_parameter_max_length          = 0
      log_parameter_max_length_on_error = 0
      log_error_verbosity               = "terse"
    }
    content {
      name  = parameter.key
      value = parameter.value
    }
  }
}
