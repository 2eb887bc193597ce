mock_provider "aws" {
  mock_resource "aws_db_proxy" {
    defaults = {
      arn      = "arn:aws:rds:eu-west-1:123456789012:db-proxy:prx-0123456789abcdef0"
      endpoint = "memory.proxy-abc.eu-west-1.rds.amazonaws.com"
    }
    override_during = plan
  }
  mock_resource "aws_iam_role" {
    defaults        = { arn = "arn:aws:iam::123456789012:role/memory-proxy" }
    override_during = plan
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_partition" {
    defaults = { dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-west-1" }
  }
}

variables {
  name               = "memory"
  cluster_identifier = "memory-database"
  min_acu            = 0.5
  secret_arn         = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:memory/memory_app-abcdef"
  vpc                = { subnet_ids = ["subnet-1", "subnet-2"], security_group_ids = ["sg-1"] }
}

run "clients_need_tls_and_iam" {
  command = plan

  assert {
    condition     = aws_db_proxy.main.require_tls && alltrue([for auth in aws_db_proxy.main.auth : auth.iam_auth == "REQUIRED" && auth.secret_arn == var.secret_arn])
    error_message = "The proxy must refuse plain connections and passwords."
  }

  assert {
    condition     = aws_db_proxy.main.engine_family == "POSTGRESQL" && !aws_db_proxy.main.debug_logging
    error_message = "The proxy must speak PostgreSQL and log no statement."
  }

  assert {
    condition     = aws_db_proxy.main.vpc_subnet_ids == toset(["subnet-1", "subnet-2"]) && aws_db_proxy.main.vpc_security_group_ids == toset(["sg-1"])
    error_message = "The proxy must be in the given subnets and groups."
  }
}

run "a_client_waits_less_than_the_api_does" {
  command = plan

  assert {
    condition     = aws_db_proxy_default_target_group.main.connection_pool_config[0].connection_borrow_timeout == 20 && aws_db_proxy_default_target_group.main.connection_pool_config[0].max_connections_percent == 90
    error_message = "The pool must default to 20 s of waiting and 90 percent of the connections."
  }

  assert {
    condition     = aws_db_proxy.main.idle_client_timeout == 900
    error_message = "An idle client must be let go after 15 minutes."
  }
}

run "the_proxy_leads_to_the_cluster" {
  command = plan

  assert {
    condition     = aws_db_proxy_target.main.db_cluster_identifier == "memory-database"
    error_message = "The target must be the given cluster."
  }

  assert {
    condition     = output.proxy_resource_id == "prx-0123456789abcdef0" && output.endpoint == "memory.proxy-abc.eu-west-1.rds.amazonaws.com"
    error_message = "The outputs must hold what rds-db:connect and the clients need."
  }
}

run "the_role_reads_one_secret_and_nothing_else" {
  command = plan

  assert {
    condition     = length(data.aws_iam_policy_document.read_secret.statement) == 1 && data.aws_iam_policy_document.read_secret.statement[0].actions == toset(["secretsmanager:GetSecretValue"]) && data.aws_iam_policy_document.read_secret.statement[0].resources == toset([var.secret_arn])
    error_message = "Without a key the role must read the secret alone."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.trust.statement[0].principals).identifiers == toset(["rds.amazonaws.com"])
    error_message = "Only RDS may take the role."
  }
}

run "the_key_is_used_only_through_secrets_manager" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/one"
  }

  assert {
    condition     = data.aws_iam_policy_document.read_secret.statement[1].actions == toset(["kms:Decrypt"]) && data.aws_iam_policy_document.read_secret.statement[1].resources == toset([var.kms_key_arn])
    error_message = "The role must decrypt by that key alone."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.read_secret.statement[1].condition).variable == "kms:ViaService" && tolist(one(data.aws_iam_policy_document.read_secret.statement[1].condition).values) == tolist(["secretsmanager.eu-west-1.amazonaws.com"])
    error_message = "The key must be usable through Secrets Manager alone."
  }
}
