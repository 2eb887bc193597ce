# Autoscaling changes capacity behind Terraform's back, and `ignore_changes` cannot name one attribute of an index.
# So a plan reads back what the table has now, and proposes a change only where that left the bounds.

data "aws_dynamodb_tables" "all" {
  count = local.scaled ? 1 : 0
}

data "aws_dynamodb_table" "current" {
  count = local.scaled && contains(flatten(data.aws_dynamodb_tables.all[*].names), var.name) ? 1 : 0

  name = var.name
}

locals {
  scaled = local.create && var.capacity != null

  # The table goes by its own name, beside its indexes.
  _throughputs = concat([var.name], keys(var.global_indexes))
  _now = {
    for now in flatten([for table in data.aws_dynamodb_table.current : [table, tolist(table.global_secondary_index)]]) :
    now.name => now
  }
  read_capacity = {
    for name in local._throughputs : name => one([
      for c in var.capacity[*] : min(max(try(local._now[name].read_capacity, 0), c.read_min), c.read_max)
    ])
  }
  write_capacity = {
    for name in local._throughputs : name => one([
      for c in var.capacity[*] : min(max(try(local._now[name].write_capacity, 0), c.write_min), c.write_max)
    ])
  }

  _scalables = local.scaled ? merge([
    for name in local._throughputs : {
      for mode in ["read", "write"] : "${name}/${mode}" => {
        resource_id = name == var.name ? "table/${var.name}" : "table/${var.name}/index/${name}"
        dimension   = "dynamodb:${name == var.name ? "table" : "index"}:${title(mode)}CapacityUnits"
        metric      = "DynamoDB${title(mode)}CapacityUtilization"
        min         = mode == "read" ? var.capacity.read_min : var.capacity.write_min
        max         = mode == "read" ? var.capacity.read_max : var.capacity.write_max
      }
    }
  ]...) : {}
}

resource "aws_appautoscaling_target" "main" {
  for_each = local._scalables

  service_namespace  = "dynamodb"
  resource_id        = each.value.resource_id
  scalable_dimension = each.value.dimension
  min_capacity       = each.value.min
  max_capacity       = each.value.max
  tags               = var.tags

  depends_on = [aws_dynamodb_table.main]
}

resource "aws_appautoscaling_policy" "main" {
  for_each = local._scalables

  name               = "${var.name}-${replace(each.key, "/", "-")}"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.main[each.key].service_namespace
  resource_id        = aws_appautoscaling_target.main[each.key].resource_id
  scalable_dimension = aws_appautoscaling_target.main[each.key].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value = var.capacity.target_utilisation_percent

    predefined_metric_specification {
      predefined_metric_type = each.value.metric
    }
  }
}
