# How functions reach PostgreSQL, by connection mode: what they are told, what they may do and where they live.
locals {
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
        Statements = local._statements
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

  _statements = {
    actions   = ["rds-data:ExecuteStatement"]
    resources = [module.database.cluster_arn]
  }
  _transactions = {
    actions   = ["rds-data:BeginTransaction", "rds-data:CommitTransaction", "rds-data:RollbackTransaction"]
    resources = [module.database.cluster_arn]
  }

  # A text too long for one statement is stored by several. Over a connection of its own a function needs no leave for that.
  _store_texts = { for name, each in { Transactions = local._transactions } : name => each if var.connection == "data_api" }

  _users = "arn:${local._partition}:rds-db:${local._region}:${local._account}:dbuser"

  _database = {
    DATABASE_CONNECTION  = var.connection
    DATABASE_NAME        = module.database.database_name
    DATABASE_CLUSTER_ARN = module.database.cluster_arn
  }

  _function_vpc = var.connection == "data_api" ? null : {
    subnet_ids         = local._network.subnet_ids
    security_group_ids = [local._network.function_security_group_id]
  }
}
