# What the function does for one tenant at a time. IAM then knows which: the role below is taken with a tag that names the tenant,
# and its policy reaches no other tenant's keys and objects, whatever the code asks for.
locals {
  _has_tenant_role = var.tenant_policy != null && var.tenant_sessions
  _tenant          = "$${aws:PrincipalTag/tenant_id}" # for IAM to fill in, not Terraform
  _tenant_policy   = merge(var.tenant_policy, {})     # none is empty

  # Without sessions the function itself does what is done for tenants, for all of them.
  _tenant_policy_for_all = {
    for name, s in local._tenant_policy : name => {
      actions   = s.actions
      resources = local._tenant_kind[name] == "objects" ? toset([for arn in s.resources : "${arn}/${s.within == "" ? "" : "*/"}${s.within}*"]) : s.resources
    } if !local._has_tenant_role
  }

  # With them it may take the role that does, and no more.
  _take_tenant_role = {
    for role in aws_iam_role.tenant : "TakeTenantRole" => {
      actions   = toset(["sts:AssumeRole", "sts:TagSession"])
      resources = toset([role.arn])
    }
  }

  _tenant_kind = {
    for name, s in local._tenant_policy : name => one([
      for kind, each in local._tenant_kinds : kind if alltrue([for a in s.actions : can(regex(each.actions, a))])
    ])
  }

  # ForAllValues alone holds for a request without any key: such as a scan, which Null keeps out.
  _tenant_conditions = {
    items = {
      "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["${local._tenant}#*"] }
      Null                      = { "dynamodb:LeadingKeys" = "false" }
    }
    listing = { StringLike = { "s3:prefix" = ["${local._tenant}/*"] } }
  }

  # A key has no tenants: what it encrypts is reached by the statements above only.
  _tenant_decrypt = {
    for arn in var.kms_key_arn[*] : "Decrypt" => { actions = toset(["kms:Decrypt"]), resources = toset([arn]) }
  }

  _tenant_statements = [
    for name, s in merge(local._tenant_policy, local._tenant_decrypt) : merge(
      {
        Sid      = name
        Effect   = "Allow"
        Action   = sort(s.actions)
        Resource = sort(lookup(local._tenant_kind, name, "keys") == "objects" ? toset([for arn in s.resources : "${arn}/${local._tenant}/${local._tenant_policy[name].within}*"]) : s.resources)
      },
      { for kind, condition in local._tenant_conditions : "Condition" => condition if kind == lookup(local._tenant_kind, name, "keys") },
    )
  ]

  # The pattern of tenant ids, ^[a-z0-9-]{1,63}$, as far as IAM can say it, which has no character classes. Capitals are
  # named one by one, for KEY would reach the records of API keys; letters beyond ASCII are left to the code. STS itself takes only letters, digits, spaces and _.:/=+-@ in a tag: never a wildcard, "$" or "#".
  _tenant_ids = {
    StringLike    = { "aws:RequestTag/tenant_id" = "?*" }
    StringNotLike = { "aws:RequestTag/tenant_id" = concat([for c in split("", " _.:/=+@ABCDEFGHIJKLMNOPQRSTUVWXYZ") : "*${c}*"], ["${join("", [for _ in range(64) : "?"])}*"]) }
  }
}

# This function's role and no other, for one tenant a time, who has to be named: without the tag nothing below would match.
resource "aws_iam_role" "tenant" {
  count = local._has_tenant_role ? 1 : 0

  name = "${var.name}-tenant"
  tags = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Principal = { AWS = aws_iam_role.main.arn }
      Condition = merge(local._tenant_ids, {
        "ForAllValues:StringEquals" = { "aws:TagKeys" = ["tenant_id"] }
        Null                        = { "aws:TagKeys" = "false" }
      })
    }]
  })
}

resource "aws_iam_role_policy" "tenant" {
  count = local._has_tenant_role ? 1 : 0

  name   = "tenant"
  role   = aws_iam_role.tenant[0].name
  policy = jsonencode({ Version = "2012-10-17", Statement = local._tenant_statements })
}
