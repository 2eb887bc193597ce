data "aws_iam_policy_document" "main" {
  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["s3:*"] # a deny has to cover every action
    resources = [aws_s3_bucket.main.arn, "${aws_s3_bucket.main.arn}/*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  # A writer may leave the encryption to the bucket's default, but not ask for another.
  dynamic "statement" {
    for_each = var.kms_key_arn == null ? {} : {
      OnlyByKms    = { header = "s3:x-amz-server-side-encryption", value = "aws:kms" }
      OnlyByOurKey = { header = "s3:x-amz-server-side-encryption-aws-kms-key-id", value = var.kms_key_arn }
    }
    content {
      sid       = statement.key
      effect    = "Deny"
      actions   = ["s3:PutObject"]
      resources = ["${aws_s3_bucket.main.arn}/*"]

      principals {
        type        = "AWS"
        identifiers = ["*"]
      }

      # Not ...IfExists, which holds of a header that is not there too, and would deny what the default encrypts.
      condition {
        test     = "StringNotEquals"
        variable = statement.value.header
        values   = [statement.value.value]
      }

      condition {
        test     = "Null"
        variable = statement.value.header
        values   = ["false"]
      }
    }
  }
}

resource "aws_s3_bucket_policy" "main" {
  bucket = aws_s3_bucket.main.id
  policy = data.aws_iam_policy_document.main.json

  depends_on = [aws_s3_bucket_public_access_block.main] # S3 refuses two changes of a bucket's access at once
}
