locals {
  create = var.existing_table_name == null
  table  = one(concat(aws_dynamodb_table.main, data.aws_dynamodb_table.existing))

  # DynamoDB wants each key attribute once, whichever table or index uses it.
  key_attributes = toset(compact(flatten([
    var.hash_key,
    var.range_key,
    [for index in values(var.global_indexes) : [index.hash_key, index.range_key]],
  ])))
}

resource "aws_dynamodb_table" "main" {
  #checkov:skip=CKV_AWS_119:The customer managed key is the caller's choice (kms_key_arn); the AWS owned key costs nothing.
  count = local.create ? 1 : 0

  name                        = var.name
  billing_mode                = var.capacity == null ? "PAY_PER_REQUEST" : "PROVISIONED"
  read_capacity               = local.read_capacity[var.name]
  write_capacity              = local.write_capacity[var.name]
  table_class                 = var.table_class
  hash_key                    = var.hash_key
  range_key                   = var.range_key
  deletion_protection_enabled = var.deletion_protection
  stream_enabled              = var.stream != null
  stream_view_type            = var.stream
  tags                        = var.tags

  dynamic "attribute" {
    for_each = local.key_attributes
    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = var.global_indexes
    content {
      name            = global_secondary_index.key
      hash_key        = global_secondary_index.value.hash_key
      range_key       = global_secondary_index.value.range_key
      projection_type = global_secondary_index.value.projection
      read_capacity   = local.read_capacity[global_secondary_index.key]
      write_capacity  = local.write_capacity[global_secondary_index.key]
    }
  }

  dynamic "on_demand_throughput" {
    for_each = var.on_demand_limits[*]
    content {
      max_read_request_units  = on_demand_throughput.value.read
      max_write_request_units = on_demand_throughput.value.write
    }
  }

  dynamic "ttl" {
    for_each = var.ttl_attribute[*]
    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  point_in_time_recovery {
    enabled                 = var.point_in_time_recovery != null
    recovery_period_in_days = one(var.point_in_time_recovery[*].days)
  }

  server_side_encryption {
    enabled     = var.kms_key_arn != null
    kms_key_arn = var.kms_key_arn
  }
}

# A restore copies the items and the indexes, but none of the settings checked here.
data "aws_dynamodb_table" "existing" {
  count = local.create ? 0 : 1

  name = var.existing_table_name

  lifecycle {
    postcondition {
      condition     = self.hash_key == var.hash_key && self.range_key == var.range_key
      error_message = "existing_table_name ${self.name} must have the keys ${var.hash_key}, ${var.range_key}; it has ${self.hash_key}, ${self.range_key}."
    }

    postcondition {
      condition     = length(setsubtract(keys(var.global_indexes), self.global_secondary_index[*].name)) == 0
      error_message = "existing_table_name ${self.name} must have the indexes ${join(", ", keys(var.global_indexes))}; it has ${join(", ", self.global_secondary_index[*].name)}."
    }

    postcondition {
      condition     = var.stream == null || self.stream_view_type == var.stream
      error_message = "existing_table_name ${self.name} must have a stream of ${coalesce(var.stream, "-")}; it has ${jsonencode(self.stream_view_type)}. A restore leaves it out: enable it first."
    }

    postcondition {
      condition     = var.ttl_attribute == null || anytrue([for ttl in self.ttl : ttl.enabled && ttl.attribute_name == var.ttl_attribute])
      error_message = "existing_table_name ${self.name} must expire items by ${coalesce(var.ttl_attribute, "-")}; it has ${jsonencode(self.ttl)}. A restore leaves it out: enable it first."
    }

    postcondition {
      condition     = var.point_in_time_recovery == null || anytrue(self.point_in_time_recovery[*].enabled)
      error_message = "existing_table_name ${self.name} must have point-in-time recovery; it has ${jsonencode(self.point_in_time_recovery)}. A restore leaves it out: enable it first."
    }
  }
}
