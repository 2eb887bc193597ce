mock_provider "aws" {
  mock_resource "aws_rds_cluster" {
    defaults = {
      endpoint            = "memory.cluster-abc.eu-west-1.rds.amazonaws.com"
      reader_endpoint     = "memory.cluster-ro-abc.eu-west-1.rds.amazonaws.com"
      cluster_resource_id = "cluster-ABC"
      master_user_secret  = [{ secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!cluster", kms_key_id = "", secret_status = "active" }]
    }
    override_during = plan
  }
}

variables {
  name = "memory"
  vpc  = { subnet_ids = ["subnet-1", "subnet-2"], security_group_ids = ["sg-1"] }
}

run "the_cluster_is_serverless_pauses_and_has_one_instance" {
  command = plan

  assert {
    condition     = aws_rds_cluster.main.engine == "aurora-postgresql" && aws_rds_cluster.main.engine_version == "16.13"
    error_message = "The engine must be the pinned Aurora PostgreSQL."
  }

  assert {
    condition     = aws_rds_cluster.main.serverlessv2_scaling_configuration[0].min_capacity == 0 && aws_rds_cluster.main.serverlessv2_scaling_configuration[0].max_capacity == 4 && output.min_acu == 0
    error_message = "The cluster must scale from 0 to 4 ACU by default."
  }

  assert {
    condition     = length(aws_rds_cluster_instance.main) == 1 && aws_rds_cluster_instance.main[0].instance_class == "db.serverless" && aws_rds_cluster_instance.main[0].promotion_tier == 0
    error_message = "One serverless writer must be enough by default."
  }
}

run "the_cluster_is_closed_encrypted_and_kept" {
  command = plan

  assert {
    condition     = aws_rds_cluster.main.storage_encrypted && aws_rds_cluster.main.deletion_protection && !aws_rds_cluster.main.skip_final_snapshot && aws_rds_cluster.main.copy_tags_to_snapshot
    error_message = "Storage must be encrypted, and the cluster protected against deletion."
  }

  assert {
    condition     = aws_rds_cluster.main.backup_retention_period == 7 && aws_secretsmanager_secret.app.recovery_window_in_days == 30
    error_message = "Backups must reach back 7 days and the secret must be recoverable."
  }

  assert {
    condition     = !aws_rds_cluster_instance.main[0].publicly_accessible && aws_rds_cluster.main.vpc_security_group_ids == toset(["sg-1"]) && aws_db_subnet_group.main.subnet_ids == toset(["subnet-1", "subnet-2"])
    error_message = "The instance must be private, in the given subnets and groups."
  }
}

run "people_and_programs_log_in_by_iam_the_data_api_or_a_managed_password" {
  command = plan

  assert {
    condition     = aws_rds_cluster.main.iam_database_authentication_enabled && aws_rds_cluster.main.enable_http_endpoint
    error_message = "IAM authentication and the Data API must be on."
  }

  assert {
    condition     = aws_rds_cluster.main.manage_master_user_password && aws_rds_cluster.main.master_username == "memory_master" && aws_rds_cluster.main.master_password == null
    error_message = "RDS must keep the master's password."
  }

  assert {
    condition     = aws_secretsmanager_secret.app.name == "memory/memory_app" && endswith(output.master_secret_arn, "rds!cluster")
    error_message = "The application's secret must exist beside the master's."
  }
}

run "tls_is_forced_and_logged_statements_carry_no_content" {
  command = plan

  assert {
    condition = { for parameter in aws_rds_cluster_parameter_group.main.parameter : parameter.name => parameter.value } == {
      "rds.force_ssl"                   = "1"
      idle_session_timeout              = "60000"
      log_statement                     = "ddl"
      log_min_duration_statement        = "1000"
      log_parameter_max_length          = "0"
      log_parameter_max_length_on_error = "0"
      log_error_verbosity               = "terse"
    }
    error_message = "TLS must be forced and no parameter or row may be logged."
  }

  assert {
    condition     = aws_rds_cluster.main.enabled_cloudwatch_logs_exports == toset(["postgresql"]) && aws_cloudwatch_log_group.postgresql[0].name == "/aws/rds/cluster/memory/postgresql" && aws_cloudwatch_log_group.postgresql[0].retention_in_days == 30
    error_message = "The log must go to a group that forgets after 30 days."
  }
}

run "the_log_can_stay_in_the_cluster" {
  command = plan

  variables {
    log_exports = null
  }

  assert {
    condition     = aws_rds_cluster.main.enabled_cloudwatch_logs_exports == null && length(aws_cloudwatch_log_group.postgresql) == 0
    error_message = "log_exports = null must export nothing."
  }

  assert {
    condition     = contains([for parameter in aws_rds_cluster_parameter_group.main.parameter : "${parameter.name}=${parameter.value}"], "log_min_duration_statement=-1")
    error_message = "Slow statements are logged for whoever reads the export."
  }
}

run "one_key_encrypts_storage_secrets_log_and_insights" {
  command = plan

  variables {
    kms_key_arn          = "arn:aws:kms:eu-west-1:123456789012:key/one"
    performance_insights = {}
  }

  assert {
    condition = alltrue([
      for key in [
        aws_rds_cluster.main.kms_key_id,
        aws_rds_cluster.main.master_user_secret_kms_key_id,
        aws_secretsmanager_secret.app.kms_key_id,
        aws_cloudwatch_log_group.postgresql[0].kms_key_id,
        aws_rds_cluster_instance.main[0].performance_insights_kms_key_id,
      ] : key == var.kms_key_arn
    ])
    error_message = "Every part must be encrypted by the given key."
  }

  assert {
    condition     = aws_rds_cluster_instance.main[0].performance_insights_enabled && aws_rds_cluster_instance.main[0].performance_insights_retention_period == 7
    error_message = "Performance Insights must be kept for the free 7 days."
  }
}

run "readers_take_over_and_pause_with_the_writer" {
  command = plan

  variables {
    reader_count = 2
    capacity     = { max_acu = 16, auto_pause_s = 3600 }
  }

  assert {
    condition     = aws_rds_cluster_instance.main[*].promotion_tier == [0, 1, 1] && aws_rds_cluster_instance.main[*].identifier == ["memory-0", "memory-1", "memory-2"]
    error_message = "Readers must be in tier 1."
  }

  assert {
    condition     = aws_rds_cluster.main.serverlessv2_scaling_configuration[0].seconds_until_auto_pause == 3600
    error_message = "The pause must come when asked."
  }
}

run "a_cluster_that_never_pauses_lets_connections_idle_longer" {
  command = plan

  variables {
    capacity = { min_acu = 0.5 }
  }

  assert {
    condition     = contains([for parameter in aws_rds_cluster_parameter_group.main.parameter : "${parameter.name}=${parameter.value}"], "idle_session_timeout=900000")
    error_message = "Warm functions must be able to keep their connection for 15 minutes."
  }
}

run "the_two_steps_of_a_destroy_still_leave_a_snapshot" {
  command = plan

  variables {
    deletion_protection = false
  }

  assert {
    condition     = !aws_rds_cluster.main.skip_final_snapshot && aws_rds_cluster.main.final_snapshot_identifier == "memory-final"
    error_message = "Lifting the protection must not give up the last snapshot."
  }
  assert {
    condition     = aws_secretsmanager_secret.app.recovery_window_in_days == 0
    error_message = "A second cluster of the same name must find no secret in its way."
  }
}

run "a_throwaway_cluster_leaves_no_snapshot" {
  command = plan

  variables {
    final_snapshot = false
  }

  assert {
    condition     = aws_rds_cluster.main.skip_final_snapshot
    error_message = "final_snapshot = false must skip the snapshot."
  }
}

run "clients_get_the_clusters_own_names" {
  command = plan

  assert {
    condition     = output.endpoint == "memory.cluster-abc.eu-west-1.rds.amazonaws.com" && output.reader_endpoint == "memory.cluster-ro-abc.eu-west-1.rds.amazonaws.com" && output.port == 5432 && output.database_name == "memory"
    error_message = "The outputs must describe the cluster."
  }
}

run "clients_of_a_stand_in_get_its_host" {
  command = plan

  variables {
    endpoint_override = "127.0.0.1"
    port              = 6543
  }

  assert {
    condition     = output.endpoint == "127.0.0.1" && output.reader_endpoint == "127.0.0.1" && output.port == 6543
    error_message = "The override must replace the host, not the port."
  }
}
