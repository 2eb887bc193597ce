# Without a clone: the module from git, the zip from a bucket of yours. A release has two files for it: put the zip into the bucket
# and release.json beside this one.
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
  release = jsondecode(file("${path.module}/release.json"))
}

module "agent_memory" {
  #checkov:skip=CKV_TF_1:A tag says which release this is; where a tag that moves is a worry, put its commit there.
  source = "git::https://github.com/example/agent-memory.git//terraform/modules/agent-memory?ref=v0.1.0"

  name = "assistant"
  artifact = {
    bucket        = "my-artifacts"
    key           = local.release.artifact
    sha256_base64 = local.release.sha256_base64
    sql_sha256    = local.release.sql_sha256
  }
}

output "api_url" {
  description = "URL of the API; routes begin with /v1."
  value       = module.agent_memory.api_url
}

output "deployment" {
  description = "Everything that the deployment tells about itself; nothing of it is secret."
  value       = module.agent_memory
}
