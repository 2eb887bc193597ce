mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { zone_ids = ["use1-az6", "use1-az1", "use1-az4"] }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { id = "us-east-1" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

# Ids are made at apply; each group gets one here so that the rules can be followed.
override_resource {
  target          = aws_security_group.main["functions"]
  values          = { id = "sg-functions" }
  override_during = plan
}
override_resource {
  target          = aws_security_group.main["database"]
  values          = { id = "sg-database" }
  override_during = plan
}
override_data {
  target = data.aws_ec2_managed_prefix_list.gateway["s3"]
  values = { id = "pl-s3" }
}
override_data {
  target = data.aws_ec2_managed_prefix_list.gateway["dynamodb"]
  values = { id = "pl-dynamodb" }
}

variables {
  name = "memory"
}

run "subnets_lie_in_zones_that_run_a_proxy" {
  command = plan

  assert {
    condition     = data.aws_availability_zones.usable.exclude_zone_ids == toset(["use1-az3", "usw1-az2"])
    error_message = "Zones without RDS Proxy must not be offered."
  }

  assert {
    condition     = { for zone, subnet in aws_subnet.main : zone => subnet.cidr_block } == { use1-az1 = "10.42.0.0/18", use1-az4 = "10.42.64.0/18" }
    error_message = "The first two zones by id must get a quarter of the range each."
  }
}

run "nothing_is_public" {
  command = plan

  variables {
    az_count = 3
  }

  assert {
    condition     = length(aws_subnet.main) == 3 && alltrue([for subnet in aws_subnet.main : subnet.map_public_ip_on_launch != true])
    error_message = "No subnet may hand out public addresses."
  }

  assert {
    condition     = length(aws_default_security_group.main.ingress) == 0 && length(aws_default_security_group.main.egress) == 0
    error_message = "The default security group must allow nothing."
  }
}

run "functions_reach_the_database_s3_and_dynamodb_and_nothing_else" {
  command = plan

  assert {
    condition = {
      for key, rule in aws_vpc_security_group_egress_rule.main : key => "${rule.security_group_id} ${rule.referenced_security_group_id} ${rule.ip_protocol} ${rule.from_port}-${rule.to_port}"
      } == {
      functions-database = "sg-functions sg-database tcp 5432-5432"
      proxy-database     = "sg-database sg-database tcp 5432-5432"
    }
    error_message = "The groups must lead to the database alone."
  }

  assert {
    condition     = [for rule in aws_vpc_security_group_egress_rule.gateway : "${rule.security_group_id} ${rule.prefix_list_id} ${rule.from_port}-${rule.to_port}"] == ["sg-functions pl-dynamodb 443-443", "sg-functions pl-s3 443-443"]
    error_message = "Functions must reach S3 and DynamoDB over TLS."
  }

  assert {
    condition = alltrue([
      for rule in concat(values(aws_vpc_security_group_egress_rule.main), values(aws_vpc_security_group_egress_rule.gateway), values(aws_vpc_security_group_ingress_rule.main)) :
      rule.cidr_ipv4 == null && rule.cidr_ipv6 == null
    ])
    error_message = "No rule may be about addresses."
  }
}

run "the_database_listens_to_functions_and_its_proxy_on_its_port" {
  command = plan

  variables {
    database_port = 6432
  }

  assert {
    condition = {
      for key, rule in aws_vpc_security_group_ingress_rule.main : key => "${rule.security_group_id} ${rule.referenced_security_group_id} ${rule.ip_protocol} ${rule.from_port}-${rule.to_port}"
      } == {
      functions-database = "sg-database sg-functions tcp 6432-6432"
      proxy-database     = "sg-database sg-database tcp 6432-6432"
    }
    error_message = "The database must listen on its port to its own clients."
  }
}

run "gateway_endpoints_are_free_and_lead_to_this_account_only" {
  command = plan

  assert {
    condition     = [for endpoint in aws_vpc_endpoint.gateway : "${endpoint.vpc_endpoint_type} ${endpoint.service_name}"] == ["Gateway com.amazonaws.us-east-1.dynamodb", "Gateway com.amazonaws.us-east-1.s3"]
    error_message = "S3 and DynamoDB must have gateway endpoints."
  }

  assert {
    condition = alltrue([
      for service in ["dynamodb", "s3"] :
      { for c in data.aws_iam_policy_document.endpoint[service].statement[0].condition : c.variable => one(c.values) } == { "aws:PrincipalAccount" = "123456789012", "aws:ResourceAccount" = "123456789012" }
    ])
    error_message = "Callers and what they reach must belong to this account."
  }

  assert {
    condition     = alltrue([for document in data.aws_iam_policy_document.endpoint : alltrue([for action in document.statement[0].actions : !strcontains(action, "*")])])
    error_message = "No endpoint may let every action through."
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0 && length(output.interface_endpoint_services) == 0 && !contains(keys(aws_security_group.main), "endpoints")
    error_message = "Interface endpoints cost money and must be asked for."
  }
}

run "interface_endpoints_come_in_the_zones_paid_for" {
  command = plan

  variables {
    interface_endpoints = ["bedrock-runtime", "sts"]
    endpoint_az_count   = 1
  }

  override_resource {
    target          = aws_security_group.main["endpoints"]
    values          = { id = "sg-endpoints" }
    override_during = plan
  }

  override_resource {
    target          = aws_subnet.main["use1-az1"]
    values          = { id = "subnet-1" }
    override_during = plan
  }

  assert {
    condition     = output.interface_endpoint_services == ["bedrock-runtime", "sts"]
    error_message = "The services must be handed out."
  }

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.subnet_ids == toset(["subnet-1"]) && endpoint.private_dns_enabled && endpoint.security_group_ids == toset(["sg-endpoints"])])
    error_message = "Each endpoint must be in one zone, under AWS's own name, behind its group."
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.main["functions-endpoints"].to_port == 443 && aws_vpc_security_group_ingress_rule.main["functions-endpoints"].security_group_id == "sg-endpoints"
    error_message = "Functions must reach the endpoints over TLS."
  }
}

run "traffic_is_logged_only_where_asked" {
  command = plan

  assert {
    condition     = length(aws_flow_log.main) == 0 && length(aws_iam_role.flow) == 0 && length(aws_cloudwatch_log_group.flow) == 0
    error_message = "Without flow_logs nothing may be made for them."
  }
}

run "flow_logs_are_encrypted_and_expire" {
  command = plan

  variables {
    flow_logs = { retention_days = 7, kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/one" }
  }

  override_resource {
    target          = aws_cloudwatch_log_group.flow
    values          = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vpc/memory" }
    override_during = plan
  }
  override_resource {
    target          = aws_iam_role.flow
    values          = { arn = "arn:aws:iam::123456789012:role/memory-flow-logs" }
    override_during = plan
  }

  assert {
    condition     = aws_cloudwatch_log_group.flow[0].retention_in_days == 7 && aws_cloudwatch_log_group.flow[0].kms_key_id == var.flow_logs.kms_key_arn
    error_message = "Retention and key must reach the log group."
  }

  assert {
    condition     = aws_flow_log.main[0].traffic_type == "ALL"
    error_message = "Refused traffic must be logged too."
  }

  assert {
    condition     = data.aws_iam_policy_document.flow_write.statement[0].resources == toset(["arn:aws:logs:us-east-1:123456789012:log-group:/aws/vpc/memory:*"])
    error_message = "The role must write to that group alone."
  }
}

run "without_functions_in_the_vpc_there_is_no_gateway_endpoint_and_no_way_to_one" {
  command = plan

  variables {
    gateway_endpoints = []
  }

  assert {
    condition     = length(aws_vpc_endpoint.gateway) + length(aws_vpc_security_group_egress_rule.gateway) == 0
    error_message = "gateway_endpoints = [] must create neither endpoints nor rules."
  }
}
