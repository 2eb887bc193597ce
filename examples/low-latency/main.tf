# A database that never pauses, a reader that takes over when the writer fails, and functions with connections of their own.
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

  # IAM keeps tenants apart for the functions in the VPC too: an endpoint of STS, about USD 7 a month.
  tenant_sessions = true

  database = {
    min_acu      = 1 # about USD 88 a month, and as much again for the reader
    max_acu      = 8
    reader_count = 1
  }

  # Each execution holds one connection, so this bounds them.
  functions = {
    memory_mib           = 1024
    reserved_concurrency = { semantic = 40, unified = 20, privacy = 5, health = 5 }
  }

  alarms = { topic_arns = [aws_sns_topic.on_call.arn], dashboard = true }
}

# Supporting resources

resource "aws_sns_topic" "on_call" {
  #checkov:skip=CKV_AWS_26:Alarms hold names and numbers only, and CloudWatch cannot use the key that AWS keeps for SNS.
  name = "assistant-on-call"
}

output "api_url" {
  description = "URL of the API; routes begin with /v1."
  value       = module.agent_memory.api_url
}

output "deployment" {
  description = "Everything that the deployment tells about itself; nothing of it is secret."
  value       = module.agent_memory
}
