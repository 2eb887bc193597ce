# Inside a VPC that you have: its subnets must reach DynamoDB and S3, here by gateway endpoints, and Bedrock by an interface
# endpoint `bedrock-runtime` with private DNS, which lets in the functions' group on port 443.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}

provider "aws" {
  region = "eu-west-1"
}

locals {
  build = jsondecode(file("${path.module}/../../dist/agent-memory-arm64.json"))
}

module "agent_memory" {
  source = "../../terraform/modules/agent-memory"

  name       = "assistant"
  artifact   = merge(local.build, { path = "${path.module}/../../dist/agent-memory-arm64.zip" })
  connection = "direct"

  network = {
    existing = {
      subnet_ids                 = var.subnet_ids
      function_security_group_id = aws_security_group.functions.id
      database_security_group_id = aws_security_group.database.id
      endpoints                  = ["bedrock-runtime", "dynamodb", "s3"]
    }
  }
}

# Supporting resources

variable "vpc_id" {
  description = "Id of your VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Ids of private subnets in at least two zones."
  type        = list(string)
}

resource "aws_security_group" "functions" {
  name        = "assistant-functions"
  description = "Functions that use the database."
  vpc_id      = var.vpc_id
}

resource "aws_security_group" "database" {
  name        = "assistant-database"
  description = "The database."
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "to_aws" {
  security_group_id = aws_security_group.functions.id
  description       = "DynamoDB, S3 and Bedrock; the route tables decide how far this reaches."
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "to_database" {
  security_group_id            = aws_security_group.functions.id
  description                  = "PostgreSQL."
  referenced_security_group_id = aws_security_group.database.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_ingress_rule" "from_functions" {
  security_group_id            = aws_security_group.database.id
  description                  = "PostgreSQL."
  referenced_security_group_id = aws_security_group.functions.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

output "api_url" {
  description = "URL of the API; routes begin with /v1."
  value       = module.agent_memory.api_url
}

output "deployment" {
  description = "Everything that the deployment tells about itself; nothing of it is secret."
  value       = module.agent_memory
}
