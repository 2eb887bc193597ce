# One artifact, one role each. What a function may do stands beside what it is told: `tenant_policy` for the tenant of a request,
# `policy` for all. Those without a `tenant_policy` work for every tenant, or for none (sessions.tf).
locals {
  _routes         = jsondecode(file("${path.module}/routes.json"))
  _functions      = merge(module.function, module.database_function)
  _function_names = sort(distinct(concat(["archiver", "authorizer", "ingest", "relay", "schema", "sweeper"], local._routes[*].function))) # known to variables too

  _memory  = module.table["memory"].table_arn
  _control = module.table["control"].table_arn
  _tables = {
    MEMORY_TABLE  = module.table["memory"].table_name
    CONTROL_TABLE = module.table["control"].table_name
  }

  # Every role may decrypt with the key; who writes what the key protects needs data keys too.
  _data_keys = {
    actions   = ["kms:GenerateDataKey"]
    resources = [local._kms_key_arn]
  }

  # First answers of requests that may be sent again, and marks of the agents and sessions that have been counted.
  _answers = {
    actions   = ["dynamodb:PutItem"]
    resources = [local._control]
  }

  # Counters; the marks are put by the statement above, for an action that two statements give can be taken from neither.
  _usage = {
    actions   = ["dynamodb:UpdateItem"]
    resources = [local._control]
  }

  # Of the deployment; a tenant may have others.
  _limits = jsonencode({ for name, limit in var.limits : name => limit if limit != null })

  _plain_functions = merge(local._archive_functions, {
    relay = local._relay

    authorizer = {
      timeout_s = 10 # the gateway waits no longer
      environment = {
        CONTROL_TABLE    = local._tables.CONTROL_TABLE
        LIMITS           = local._limits
        PEPPER_PARAMETER = aws_ssm_parameter.pepper.name
      }
      policy = {
        DataKeys      = local._data_keys # for LastUse
        KeysAndLimits = { actions = ["dynamodb:GetItem"], resources = [local._control] }
        LastUse       = { actions = ["dynamodb:UpdateItem"], resources = [local._control] }
        Pepper        = { actions = ["ssm:GetParameter"], resources = [aws_ssm_parameter.pepper.arn] }
      }
      tenant_policy = null # whose key it is, is what it finds out
    }

    keys = {
      timeout_s = 20
      environment = {
        CONTROL_TABLE    = local._tables.CONTROL_TABLE
        PEPPER_PARAMETER = aws_ssm_parameter.pepper.name
      }
      policy = {
        DataKeys = local._data_keys
        Keys = {
          actions   = ["dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
          resources = [local._control]
        }
        KeysOfTenant = { actions = ["dynamodb:Query"], resources = ["${local._control}/index/by_tenant"] }
        Pepper       = { actions = ["ssm:GetParameter"], resources = [aws_ssm_parameter.pepper.arn] }
      }
      tenant_policy = null # keys lie by their ids, whoever's they are
    }

    working = {
      timeout_s   = 20
      environment = merge(local._tables, local._bucket)
      policy      = {}
      tenant_policy = {
        DataKeys = local._data_keys
        Memory = {
          actions = [
            "dynamodb:BatchGetItem", # a run and what leads to it, before a step is written
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            "dynamodb:Query",
          ]
          resources = [local._memory]
        }
        Flags   = { actions = ["dynamodb:GetItem"], resources = [local._control] }
        Answers = local._answers
        Usage   = local._usage
        Bodies  = local._states_bodies
        Uploads = local._signed_uploads
      }
    }

    episodic = {
      timeout_s   = 20
      environment = merge(local._tables, local._hot_window, local._bucket)
      policy      = {}
      tenant_policy = {
        DataKeys = local._data_keys
        Memory = {
          actions = [
            "dynamodb:BatchGetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:Query",
          ]
          resources = [local._memory]
        }
        MemoryIndexes = {
          actions   = ["dynamodb:Query"]
          resources = ["${local._memory}/index/*"]
        }
        Answers  = local._answers
        Buckets  = { actions = ["dynamodb:GetItem"], resources = [local._control] }
        Usage    = local._usage
        Archived = local._archived
        Bodies   = local._bodies
        Uploads  = local._uploads
      }
    }

    # Always over the Data API: it runs while Terraform does, when nothing of ours is in the VPC yet.
    schema = {
      timeout_s = 600
      environment = merge(local._database, {
        DATABASE_APP_SECRET_ARN    = module.database.app_secret_arn
        DATABASE_MASTER_SECRET_ARN = module.database.master_secret_arn
        VECTOR_INDEX               = var.vector_index
      })
      policy = {
        DataKeys     = local._data_keys
        Statements   = local._statements
        Transactions = local._transactions
        Secrets = {
          actions   = ["secretsmanager:GetSecretValue"]
          resources = [module.database.app_secret_arn, module.database.master_secret_arn]
        }
        NewPassword = {
          actions   = ["secretsmanager:PutSecretValue"]
          resources = [module.database.app_secret_arn]
        }
      }
      tenant_policy = null # the schema is every tenant's
    }
  })
}

module "function" {
  source   = "../function"
  for_each = local._plain_functions

  name                 = "${var.name}-${each.key}"
  handler              = "agent_memory.entrypoints.${each.key}.handler"
  artifact             = var.artifact
  architecture         = var.artifact.architecture
  environment          = each.value.environment
  policy               = each.value.policy
  tenant_policy        = each.value.tenant_policy
  tenant_sessions      = local._tenant_sessions.outside_vpc
  timeout_s            = each.value.timeout_s
  memory_mib           = var.functions.memory_mib
  reserved_concurrency = lookup(var.functions.reserved_concurrency, each.key, null)
  dead_letter_arn      = module.jobs.dead_letter_arn
  kms_key_arn          = local._kms_key_arn
  log_retention_days   = var.log_retention_days
  tags                 = var.tags
}
