# Two zones where AWS runs no RDS Proxy; names of zones differ between accounts, ids do not.
data "aws_availability_zones" "usable" {
  #checkov:skip=CKV_AWS_394:The first az_count zones by id are taken, and a new zone gets a higher id.
  state            = "available"
  exclude_zone_ids = ["use1-az3", "usw1-az2"]

  filter { # local zones have to be opted into
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }

  lifecycle {
    postcondition {
      condition     = length(self.zone_ids) >= var.az_count
      error_message = "az_count is ${var.az_count}, and this account has only ${length(self.zone_ids)} zones here that run Aurora and RDS Proxy: ${join(", ", self.zone_ids)}."
    }
  }
}

locals {
  zone_ids = slice(sort(data.aws_availability_zones.usable.zone_ids), 0, var.az_count)
}

resource "aws_vpc" "main" {
  #checkov:skip=CKV2_AWS_11:Flow logs are the caller's choice; agent-memory makes them unless told not to.
  cidr_block           = var.cidr
  enable_dns_hostnames = true # private names of interface endpoints need it
  enable_dns_support   = true
  tags                 = merge(var.tags, { Name = var.name })
}

resource "aws_subnet" "main" {
  for_each = { for index, zone_id in local.zone_ids : zone_id => index }

  vpc_id               = aws_vpc.main.id
  availability_zone_id = each.key
  cidr_block           = cidrsubnet(var.cidr, 2, each.value)
  tags                 = merge(var.tags, { Name = "${var.name}-${each.key}" })
}

# No internet gateway and no NAT: there is no route but the VPC's own and those of the gateway endpoints.
resource "aws_route_table" "main" {
  vpc_id = aws_vpc.main.id
  tags   = merge(var.tags, { Name = var.name })
}

resource "aws_route_table_association" "main" {
  for_each = aws_subnet.main

  subnet_id      = each.value.id
  route_table_id = aws_route_table.main.id
}
