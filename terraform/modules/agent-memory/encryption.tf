locals {
  _kms_key_arn = var.encryption == null ? aws_kms_key.main[0].arn : var.encryption.kms_key_arn
}

resource "aws_kms_key" "main" {
  count = var.encryption == null ? 1 : 0

  description         = "Everything that ${var.name} stores."
  enable_key_rotation = true
  tags                = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "IamDecides"
        Effect    = "Allow"
        Action    = "kms:*"
        Resource  = "*"
        Principal = { AWS = "arn:${local._partition}:iam::${local._account}:root" }
      },
      {
        Sid       = "LogGroups"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Resource  = "*"
        Principal = { Service = "logs.${local._region}.amazonaws.com" }
        Condition = {
          ArnLike = {
            "kms:EncryptionContext:aws:logs:arn" = "arn:${local._partition}:logs:${local._region}:${local._account}:log-group:*"
          }
        }
      },
    ]
  })
}

resource "aws_kms_alias" "main" {
  count = var.encryption == null ? 1 : 0

  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.main[0].key_id
}

locals {
  # Whatever changes the parameter has to send a new value with it: the provider sends an empty one when only another argument
  # changed. A new key is such a change, so the version follows the key as well as the number that asks for a rotation.
  _pepper_version = var.api.pepper_version + (
    var.encryption == null
    ? 0
    : 1000 * (1 + parseint(substr(sha256(var.encryption.kms_key_arn), 0, 8), 16))
  )
}

# The secret in the hashes of API keys: 256 random bits, drawn anew by every run and sent only when the version changes. A write-only
# value is in no state and no plan file. An ephemeral resource would serve as well, but nothing can mock one, and the tests
# of this module run without an account.
resource "aws_ssm_parameter" "pepper" {
  #checkov:skip=CKV_AWS_337:Encrypted with the key; a plan does not know the ARN of a key yet to be made.
  name             = "/${var.name}/api-key-pepper"
  description      = "Secret in the hashes of API keys; its versions overlap while keys are replaced."
  type             = "SecureString"
  key_id           = local._kms_key_arn
  value_wo         = sha256("${uuid()}${uuid()}")
  value_wo_version = local._pepper_version
  tags             = var.tags

  lifecycle {
    ignore_changes = [description, tier] # see above: rewording must not empty the secret
  }
}
