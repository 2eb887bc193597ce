# Created before the function: Lambda would make a group of its own, kept for ever.
resource "aws_cloudwatch_log_group" "main" {
  #checkov:skip=CKV_AWS_338:Logs hold ids and counts only; a year of them would outlive the erasure of a person.
  #checkov:skip=CKV_AWS_158:The key is the caller's choice; agent-memory always passes one.
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_lambda_function" "main" {
  #checkov:skip=CKV_AWS_115:Reserved concurrency is the caller's choice; an account with the smallest quota has none to reserve.
  #checkov:skip=CKV_AWS_116:The queue is a required input; a plan does not know the ARN of a queue yet to be made.
  #checkov:skip=CKV_AWS_117:Only functions that open a socket to the database belong in a VPC; it costs the others endpoints.
  #checkov:skip=CKV_AWS_173:The key is the caller's choice; agent-memory always passes one.
  #checkov:skip=CKV_AWS_272:The artifact is pinned by its hash; a signing profile would have to live in the caller's account.
  function_name                  = var.name
  role                           = aws_iam_role.main.arn
  runtime                        = "python3.12"
  architectures                  = [var.architecture]
  handler                        = var.handler
  filename                       = var.artifact.path
  s3_bucket                      = var.artifact.bucket
  s3_key                         = var.artifact.key
  s3_object_version              = var.artifact.version
  source_code_hash               = var.artifact.sha256_base64
  memory_size                    = var.memory_mib
  timeout                        = var.timeout_s
  reserved_concurrent_executions = var.reserved_concurrency
  kms_key_arn                    = var.kms_key_arn
  tags                           = var.tags

  dead_letter_config {
    target_arn = var.dead_letter_arn
  }

  environment {
    variables = merge(var.environment, { for role in aws_iam_role.tenant : "TENANT_ROLE_ARN" => role.arn })
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.main.name
  }

  tracing_config {
    mode = "Active"
  }

  dynamic "vpc_config" {
    for_each = var.vpc[*]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  # Lambda checks the role when it creates the function and uses it until the last network interface is gone.
  depends_on = [aws_iam_role_policy.main, aws_iam_role_policy.tenant]
}
