resource "aws_rds_cluster_parameter_group" "main" {
  name        = var.name
  description = "Settings of ${var.name}."
  family      = "aurora-postgresql16"
  tags        = var.tags

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  # A frozen function keeps its connection open, and an open connection keeps the cluster from pausing.
  parameter {
    name  = "idle_session_timeout"
    value = var.capacity.min_acu == 0 ? "60000" : "900000"
  }

  # Statements are logged; what they carry is not: no parameter, and no row quoted in the detail of an error.
  parameter {
    name  = "log_statement"
    value = "ddl"
  }
  parameter {
    name  = "log_min_duration_statement"
    value = coalesce(one(var.log_exports[*].slow_statement_ms), -1)
  }
  parameter {
    name  = "log_parameter_max_length"
    value = "0"
  }
  parameter {
    name  = "log_parameter_max_length_on_error"
    value = "0"
  }
  parameter {
    name  = "log_error_verbosity"
    value = "terse"
  }
}
