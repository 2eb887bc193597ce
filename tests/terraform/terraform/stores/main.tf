# The two stores as modules of their own, for tests that use them.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

module "table" {
  source = "../../../../terraform/modules/memory-table"

  name                = "applied-memory"
  deletion_protection = false
  stream              = "NEW_AND_OLD_IMAGES"
  global_indexes      = { by_user = { hash_key = "user_key", range_key = "time_key" } }
}

module "archive" {
  source = "../../../../terraform/modules/episode-archive"

  name          = "applied-archive"
  force_destroy = true
}

output "table_name" {
  description = "Name of the table."
  value       = module.table.table_name
}

output "bucket_name" {
  description = "Name of the bucket."
  value       = module.archive.bucket_name
}
