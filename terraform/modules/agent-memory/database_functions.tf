# Functions that use PostgreSQL: in the VPC unless they go over the Data API, and never ahead of the schema that they expect.
locals {
  _database = {
    DATABASE_CONNECTION  = var.connection
    DATABASE_NAME        = module.database.database_name
    DATABASE_CLUSTER_ARN = module.database.cluster_arn
  }

  _function_vpc = var.connection == "data_api" ? null : {
    subnet_ids         = local._network.subnet_ids
    security_group_ids = [local._network.function_security_group_id]
  }

  _users = "arn:${local._partition}:rds-db:${local._region}:${local._account}:dbuser"

  _access = merge(local._access_without_proxy, {
    for proxy in module.proxy : "proxy" => {
      environment = {
        DATABASE_APP_SECRET_ARN = module.database.app_secret_arn
        DATABASE_HOST           = proxy.endpoint
        DATABASE_PORT           = tostring(module.database.port)
        DATABASE_USER           = "memory_app"
      }
      policy = {
        Connect = { actions = ["rds-db:connect"], resources = ["${local._users}:${proxy.proxy_resource_id}/memory_app"] }
      }
    }
  })

  _access_without_proxy = {
    data_api = {
      environment = { DATABASE_APP_SECRET_ARN = module.database.app_secret_arn }
      policy = {
        Statements = { actions = ["rds-data:ExecuteStatement"], resources = [module.database.cluster_arn] }
        Secret     = { actions = ["secretsmanager:GetSecretValue"], resources = [module.database.app_secret_arn] }
      }
    }
    direct = {
      environment = {
        DATABASE_HOST = module.database.endpoint
        DATABASE_PORT = tostring(module.database.port)
        DATABASE_USER = "memory_app_iam"
      }
      policy = {
        Connect = { actions = ["rds-db:connect"], resources = ["${local._users}:${module.database.cluster_resource_id}/memory_app_iam"] }
      }
    }
  }

  _database_functions = {
    health = {
      timeout_s   = 20
      environment = merge(local._tables, { ARCHIVE_BUCKET = module.archive.bucket_name })
      policy = {
        Memory  = { actions = ["dynamodb:GetItem"], resources = [local._memory] }
        Control = { actions = ["dynamodb:GetItem"], resources = [local._control] }
        Archive = { actions = ["s3:ListBucket"], resources = [module.archive.bucket_arn] }
      }
    }
  }
}

module "database_function" {
  source   = "../function"
  for_each = local._database_functions

  name                 = "${var.name}-${each.key}"
  handler              = "agent_memory.entrypoints.${each.key}.handler"
  artifact             = var.artifact
  architecture         = var.artifact.architecture
  environment          = merge(local._database, local._access[var.connection].environment, each.value.environment)
  policy               = merge(local._access[var.connection].policy, each.value.policy)
  timeout_s            = each.value.timeout_s
  memory_mib           = var.functions.memory_mib
  reserved_concurrency = lookup(var.functions.reserved_concurrency, each.key, null)
  dead_letter_arn      = aws_sqs_queue.dead_letter.arn
  kms_key_arn          = local._kms_key_arn
  log_retention_days   = var.log_retention_days
  vpc                  = local._function_vpc
  tags                 = var.tags

  depends_on = [aws_lambda_invocation.schema]
}
