locals {
  _own_statements = merge(
    {
      Logs = {
        actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        resources = ["${aws_cloudwatch_log_group.main.arn}:*"]
      }
      DeadLetter = {
        actions   = ["sqs:SendMessage"]
        resources = [var.dead_letter_arn]
      }
      # X-Ray has no resources to name.
      Traces = {
        actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
        resources = ["*"]
      }
    },
    {
      for arn in var.kms_key_arn[*] : "Decrypt" => {
        actions   = ["kms:Decrypt"]
        resources = [arn]
      }
    },
    # Lambda manages the network interfaces with this role; EC2 knows no narrower resource for describing them.
    {
      for vpc in var.vpc[*] : "NetworkInterfaces" => {
        actions = [
          "ec2:AssignPrivateIpAddresses",
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:UnassignPrivateIpAddresses",
        ]
        resources = ["*"]
      }
    },
  )

  # What Lambda needs for the interfaces, the code never does: calls made from inside the function are refused.
  _denied_to_code = [
    for vpc in var.vpc[*] : {
      Sid      = "NoNetworkChangesByCode"
      Effect   = "Deny"
      Action   = sort(local._own_statements.NetworkInterfaces.actions)
      Resource = ["*"]
      Condition = {
        ArnLike = { "lambda:SourceFunctionArn" = "arn:*:lambda:*:*:function:${var.name}" }
      }
    }
  ]

  _allowed = [
    for name, statement in merge(local._own_statements, var.policy, local._take_tenant_role, local._tenant_policy_for_all) : merge(
      {
        Sid      = name
        Effect   = "Allow"
        Action   = sort(statement.actions)
        Resource = sort(statement.resources)
      },
      # ForAllValues alone holds for a request without any key.
      {
        for keys in [try(statement.leading_keys, null)] : "Condition" => {
          "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = sort(keys) }
          Null                        = { "dynamodb:LeadingKeys" = "false" }
        } if keys != null
      },
    )
  ]
}

resource "aws_iam_role" "main" {
  name = var.name
  tags = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "main" {
  name   = "function"
  role   = aws_iam_role.main.name
  policy = jsonencode({ Version = "2012-10-17", Statement = concat(local._allowed, local._denied_to_code) })
}
