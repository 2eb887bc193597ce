# The least: run `make build`, then this. The database pauses when nobody uses it; idle, all of it costs about USD 3 a month.
# The region needs Titan Text Embeddings V2 in Bedrock, with which texts are made searchable.
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

  name     = "assistant"
  artifact = merge(local.build, { path = "${path.module}/../../dist/agent-memory-arm64.zip" })
}

output "api_url" {
  description = "URL of the API; routes begin with /v1."
  value       = module.agent_memory.api_url
}

output "deployment" {
  description = "Everything that the deployment tells about itself; nothing of it is secret."
  value       = module.agent_memory
}
