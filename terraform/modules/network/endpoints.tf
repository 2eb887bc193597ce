data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  _region    = data.aws_region.current.id
  _account   = data.aws_caller_identity.current.account_id
  _partition = data.aws_partition.current.partition

  # What may pass each endpoint; the functions' roles are narrower still.
  _gateway_services = {
    dynamodb = {
      actions = [
        "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem", "dynamodb:DeleteItem",
        "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
      ]
      resource = "arn:${local._partition}:dynamodb:${local._region}:${local._account}:table/*"
    }
    s3 = {
      actions = [
        "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject", "s3:GetObjectVersion",
        "s3:ListBucket", "s3:ListBucketVersions", "s3:PutObject", "s3:PutObjectTagging",
      ]
      resource = "arn:${local._partition}:s3:::*" # bucket ARNs name no account: the conditions do
    }
  }
  _interface_services = {
    bedrock-runtime = {
      actions  = ["bedrock:InvokeModel"]
      resource = "arn:${local._partition}:bedrock:${local._region}::foundation-model/*"
    }
    sts = {
      actions  = ["sts:AssumeRole", "sts:TagSession"]
      resource = "arn:${local._partition}:iam::${local._account}:role/*"
    }
  }
}

data "aws_iam_policy_document" "endpoint" {
  for_each = merge(local._gateway_services, local._interface_services)

  statement {
    actions   = each.value.actions
    resources = [each.value.resource]

    principals { # narrowed to this account below: a role cannot be named before it exists
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [local._account]
    }

    # No way out: data must not leave for another account's table or bucket.
    dynamic "condition" {
      for_each = contains(keys(local._gateway_services), each.key) ? [local._account] : []
      content {
        test     = "StringEquals"
        variable = "aws:ResourceAccount"
        values   = [condition.value]
      }
    }
  }
}

resource "aws_vpc_endpoint" "gateway" {
  for_each = var.gateway_endpoints

  vpc_id            = aws_vpc.main.id
  service_name      = "com.amazonaws.${local._region}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.main.id]
  policy            = data.aws_iam_policy_document.endpoint[each.key].json
  tags              = merge(var.tags, { Name = "${var.name}-${each.key}" })
}

resource "aws_vpc_endpoint" "interface" {
  for_each = var.interface_endpoints

  vpc_id              = aws_vpc.main.id
  service_name        = "com.amazonaws.${local._region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = slice(values(aws_subnet.main)[*].id, 0, var.endpoint_az_count)
  security_group_ids  = [aws_security_group.main["endpoints"].id]
  policy              = data.aws_iam_policy_document.endpoint[each.key].json
  tags                = merge(var.tags, { Name = "${var.name}-${each.key}" })
}
