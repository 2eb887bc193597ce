# What forgets to choose a group can talk to nothing.
resource "aws_default_security_group" "main" {
  vpc_id  = aws_vpc.main.id
  ingress = []
  egress  = []
  tags    = merge(var.tags, { Name = "${var.name}-default" })
}

locals {
  _groups = merge(
    {
      functions = "Functions that use the database."
      database  = "The database, and a proxy in front of it."
    },
    length(var.interface_endpoints) == 0 ? {} : { endpoints = "Interface endpoints of AWS services." }
  )

  # Each pair is one way: from the first group to the second.
  _paths = merge(
    {
      functions-database = { from = "functions", to = "database", port = var.database_port }
      proxy-database     = { from = "database", to = "database", port = var.database_port }
    },
    length(var.interface_endpoints) == 0 ? {} : { functions-endpoints = { from = "functions", to = "endpoints", port = 443 } }
  )
}

resource "aws_security_group" "main" {
  #checkov:skip=CKV2_AWS_5:Whoever calls the module attaches them to the database and the functions.
  for_each = local._groups

  name        = "${var.name}-${each.key}"
  description = each.value
  vpc_id      = aws_vpc.main.id
  tags        = merge(var.tags, { Name = "${var.name}-${each.key}" })
}

resource "aws_vpc_security_group_egress_rule" "main" {
  for_each = local._paths

  security_group_id            = aws_security_group.main[each.value.from].id
  referenced_security_group_id = aws_security_group.main[each.value.to].id
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  tags                         = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "main" {
  for_each = local._paths

  security_group_id            = aws_security_group.main[each.value.to].id
  referenced_security_group_id = aws_security_group.main[each.value.from].id
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  tags                         = var.tags
}

# Looked up by name: an endpoint's own attribute is unknown whenever the endpoint changes, and the provider then
# fails to plan the rule ("requires replacement ... for a non-existent attribute path").
data "aws_ec2_managed_prefix_list" "gateway" {
  for_each = var.gateway_endpoints

  name = "com.amazonaws.${local._region}.${each.key}"
}

resource "aws_vpc_security_group_egress_rule" "gateway" {
  for_each = data.aws_ec2_managed_prefix_list.gateway

  security_group_id = aws_security_group.main["functions"].id
  prefix_list_id    = each.value.id
  description       = "functions-${each.key}"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = var.tags
}
