# A subnet that the caller brings may lie where AWS runs no proxy; ids of zones mean the same in every account.
data "aws_subnet" "main" {
  count = length(var.vpc.subnet_ids)

  id = var.vpc.subnet_ids[count.index]

  lifecycle {
    postcondition {
      condition     = !contains(["use1-az3", "usw1-az2"], self.availability_zone_id)
      error_message = "vpc.subnet_ids must avoid the zones use1-az3 and usw1-az2, which run no RDS Proxy; ${self.id} is in ${self.availability_zone_id}."
    }
  }
}

resource "aws_db_proxy" "main" {
  name                   = var.name
  engine_family          = "POSTGRESQL"
  role_arn               = aws_iam_role.main.arn
  require_tls            = true
  debug_logging          = false # it writes the text of statements
  idle_client_timeout    = var.idle_client_timeout_s
  vpc_subnet_ids         = var.vpc.subnet_ids
  vpc_security_group_ids = var.vpc.security_group_ids
  tags                   = var.tags

  auth {
    auth_scheme = "SECRETS"
    iam_auth    = "REQUIRED"
    secret_arn  = var.secret_arn
  }

  depends_on = [aws_iam_role_policy.main, data.aws_subnet.main]
}

resource "aws_db_proxy_default_target_group" "main" {
  db_proxy_name = aws_db_proxy.main.name

  connection_pool_config {
    connection_borrow_timeout = var.borrow_timeout_s
    max_connections_percent   = var.max_connections_percent
  }
}

resource "aws_db_proxy_target" "main" {
  #checkov:skip=CKV2_AGENTMEM_07:min_acu = 0 is refused (min_acu); a scan of the source does not see which roots have a proxy.
  db_proxy_name         = aws_db_proxy.main.name
  target_group_name     = aws_db_proxy_default_target_group.main.name
  db_cluster_identifier = var.cluster_identifier
}
