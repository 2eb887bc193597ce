output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.main.id
}

# A function placed in these subnets reaches all it may reach from its first call.
output "subnet_ids" {
  description = "Ids of the private subnets, one for each zone."
  value       = values(aws_subnet.main)[*].id
  depends_on = [
    aws_route_table_association.main,
    aws_vpc_endpoint.gateway,
    aws_vpc_endpoint.interface,
  ]
}

output "function_security_group_id" {
  description = "Id of the security group for functions that use the database."
  value       = aws_security_group.main["functions"].id
  depends_on  = [aws_vpc_security_group_egress_rule.main]
}

output "database_security_group_id" {
  description = "Id of the security group for the database, and for a proxy in front of it."
  value       = aws_security_group.main["database"].id
  depends_on  = [aws_vpc_security_group_ingress_rule.main]
}

output "interface_endpoint_services" {
  description = "Names of the services with an interface endpoint."
  value       = keys(aws_vpc_endpoint.interface)
}
