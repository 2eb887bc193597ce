resource "aws_db_subnet_group" "main" {
  name       = var.name
  subnet_ids = var.vpc.subnet_ids
  tags       = var.tags
}

resource "aws_rds_cluster" "main" {
  #checkov:skip=CKV_AWS_139:On by default; destroying takes two steps (deletion_protection = false first).
  #checkov:skip=CKV_AWS_324:On by default; the caller may give up the log (log_exports = null).
  #checkov:skip=CKV_AWS_327:The customer managed key is the caller's choice (kms_key_arn).
  #checkov:skip=CKV2_AWS_8:Continuous backups reach back backup_retention_days; a second plan would outlive an erasure.
  cluster_identifier = var.name
  engine             = "aurora-postgresql"
  engine_version     = var.engine_version
  database_name      = var.database_name
  port               = var.port

  # RDS makes the password and changes it each week; Terraform never sees it.
  master_username                     = "memory_master"
  manage_master_user_password         = true
  master_user_secret_kms_key_id       = var.kms_key_arn
  iam_database_authentication_enabled = true
  enable_http_endpoint                = true

  db_subnet_group_name            = aws_db_subnet_group.main.name
  vpc_security_group_ids          = var.vpc.security_group_ids
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.main.name
  enabled_cloudwatch_logs_exports = var.log_exports == null ? null : ["postgresql"]

  storage_encrypted         = true
  kms_key_id                = var.kms_key_arn
  backup_retention_period   = var.backup_retention_days
  copy_tags_to_snapshot     = true
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = !var.final_snapshot
  final_snapshot_identifier = "${var.name}-final"
  tags                      = var.tags

  serverlessv2_scaling_configuration {
    min_capacity             = var.capacity.min_acu
    max_capacity             = var.capacity.max_acu
    seconds_until_auto_pause = var.capacity.auto_pause_s
  }

  # RDS would make a group of its own for the log, kept for ever.
  depends_on = [aws_cloudwatch_log_group.postgresql]
}

# The first is the writer. Failover moves that role, so the resource is not named after it.
resource "aws_rds_cluster_instance" "main" {
  #checkov:skip=CKV_AWS_118:Enhanced monitoring keeps an idle cluster above its minimum; CloudWatch has the capacity and the connections.
  #checkov:skip=CKV_AWS_226:The minor version is pinned (engine_version), as pgvector's comes with it.
  #checkov:skip=CKV_AWS_353:Performance Insights is the caller's choice, as it can keep an idle cluster above its minimum.
  #checkov:skip=CKV_AWS_354:Encrypted by kms_key_arn when the caller gives one.
  count = 1 + var.reader_count

  identifier                 = "${var.name}-${count.index}"
  cluster_identifier         = aws_rds_cluster.main.id
  engine                     = aws_rds_cluster.main.engine
  engine_version             = aws_rds_cluster.main.engine_version
  instance_class             = "db.serverless"
  db_subnet_group_name       = aws_db_subnet_group.main.name
  promotion_tier             = min(count.index, 1) # tiers 0 and 1 pause and resume together
  publicly_accessible        = false
  copy_tags_to_snapshot      = true
  auto_minor_version_upgrade = false
  tags                       = var.tags

  performance_insights_enabled          = var.performance_insights != null
  performance_insights_retention_period = one(var.performance_insights[*].retention_days)
  performance_insights_kms_key_id       = var.performance_insights == null ? null : var.kms_key_arn
}

# Empty until the schema function writes a password, which Terraform therefore never knows.
resource "aws_secretsmanager_secret" "app" {
  #checkov:skip=CKV_AWS_149:The customer managed key is the caller's choice (kms_key_arn).
  #checkov:skip=CKV2_AWS_57:The schema function rotates it.
  name                    = "${var.name}/memory_app"
  description             = "Name and password of the database user memory_app."
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0 # a name stays taken during the window
  tags                    = var.tags
}

resource "aws_cloudwatch_log_group" "postgresql" {
  #checkov:skip=CKV_AWS_158:The customer managed key is the caller's choice (kms_key_arn).
  #checkov:skip=CKV_AWS_338:How long statements are kept is the caller's choice (log_exports.retention_days).
  count = var.log_exports == null ? 0 : 1

  name              = "/aws/rds/cluster/${var.name}/postgresql"
  retention_in_days = var.log_exports.retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}
