# A table over the objects of the archive as they lie: nothing is copied, converted or crawled. Where the objects of a day are
# follows from what a query asks for (partition projection), so there are no partitions to add.
locals {
  # What a line of an object says, in its order (domain/archived_episode.py). What can be any JSON is a string: the text itself of
  # a JSON string, else the JSON.
  _columns = {
    id         = "string"
    tenant_id  = "string"
    agent_id   = "string"
    session_id = "string"
    type       = "string"
    timestamp  = "string"
    created_at = "string"
    run_id     = "string"
    expires_at = "string"
    user_id    = "string"
    purposes   = "array<string>"
    metadata   = "string"
    source     = "struct<kind:string,id:string>"
    trust      = "string"
    content    = "string"
    body       = "struct<key:string,sha256:string,bytes:bigint,is_opaque:boolean>"
  }
}

resource "aws_glue_catalog_database" "main" {
  name        = replace(var.name, "-", "_") # a name with a hyphen has to be quoted in every query
  description = "The archive of ${var.name}."
  tags        = var.tags
}

resource "aws_glue_catalog_table" "episodes" {
  name          = "episodes"
  database_name = aws_glue_catalog_database.main.name
  description   = "Archived episodes, a line each, by the tenant and the agent of their object and its first episode's day."
  table_type    = "EXTERNAL_TABLE"

  parameters = {
    EXTERNAL                    = "TRUE"
    classification              = "json"
    "projection.enabled"        = "true"
    "projection.tenant.type"    = "injected" # a query has to name it
    "projection.agent.type"     = "injected"
    "projection.day.type"       = "date"
    "projection.day.format"     = "yyyy-MM-dd"
    "projection.day.range"      = "${var.first_day},NOW+1DAYS"
    "storage.location.template" = "s3://${var.bucket_name}/$${tenant}/$${agent}/$${day}/"
  }

  # Not tenant_id and agent_id: those are columns, and an agent's id with other characters is written otherwise in a key.
  dynamic "partition_keys" {
    for_each = ["tenant", "agent", "day"]
    content {
      name = partition_keys.value
      type = "string"
    }
  }

  storage_descriptor {
    location      = "s3://${var.bucket_name}/"
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    ser_de_info {
      serialization_library = "org.openx.data.jsonserde.JsonSerDe"
    }

    # In the order of the map's keys, for a line has none.
    dynamic "columns" {
      for_each = local._columns
      content {
        name = columns.key
        type = columns.value
      }
    }
  }
}

resource "aws_athena_workgroup" "main" {
  #checkov:skip=CKV_AWS_159:Results are encrypted below; a plan does not know the ARN of a key yet to be made.
  name          = "${var.name}-analytics"
  description   = "Queries over the archive of ${var.name}."
  force_destroy = var.force_destroy
  tags          = var.tags

  configuration {
    enforce_workgroup_configuration = true
    bytes_scanned_cutoff_per_query  = var.scan_limit_mib * 1024 * 1024

    result_configuration {
      output_location = "s3://${module.results.bucket_name}/"

      encryption_configuration {
        encryption_option = var.kms_key_arn == null ? "SSE_S3" : "SSE_KMS"
        kms_key_arn       = var.kms_key_arn
      }
    }
  }
}

# Results quote what was remembered, and no erasure reaches them.
module "results" {
  source = "../expiring-bucket"

  name          = var.results.bucket_name
  expire_days   = var.results.days
  force_destroy = var.force_destroy
  kms_key_arn   = var.kms_key_arn
  tags          = var.tags
}
