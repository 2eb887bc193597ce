# Sessions of tenants: what a function does in DynamoDB and S3 for a request, it does with credentials that STS gave it for this
# tenant, so that IAM keeps tenants apart too. PostgreSQL has walls of its own, and Bedrock keeps nothing.
locals {
  _all_functions = merge(local._plain_functions, local._database_functions)

  # The authorizer and keys work on keys, which lie by their own ids; schema builds for everybody, health asks whether stores answer;
  # archiver and sweeper work for no request, but on what the stream, the table and the bucket hold of everybody.
  _cross_tenant_functions = [for name, f in local._all_functions : name if f.tenant_policy == null]

  # Where STS is in reach: everywhere outside the VPC, and inside by its endpoint only.
  _tenant_sessions = {
    outside_vpc = var.tenant_sessions == null ? true : var.tenant_sessions
    database_functions = (
      var.tenant_sessions == null
      ? var.connection == "data_api" || anytrue([for own in var.network.existing[*] : contains(own.endpoints, "sts")])
      : var.tenant_sessions
    )
  }

  _without_sessions = setsubtract(
    concat(
      [for name in keys(local._plain_functions) : name if !local._tenant_sessions.outside_vpc],
      [for name in keys(local._database_functions) : name if !local._tenant_sessions.database_functions],
    ),
    local._cross_tenant_functions,
  )
}

# A warning, for the deployment works: it says which of the walls between tenants is not there.
check "tenant_sessions" {
  assert {
    condition     = length(local._without_sessions) == 0
    error_message = "${join(", ", local._without_sessions)}: without tenant_sessions these reach every tenant's records in DynamoDB and S3 with their own role. What keeps tenants apart there is that handlers take the tenant from the API key alone and that keys begin with it; IAM would no longer stop a bug in either. With connection = \"${var.connection}\", tenant_sessions = true needs an endpoint of sts (7.30 USD a month and zone)."
  }
}
