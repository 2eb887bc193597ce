# Not `main`, as other buckets are called: in a plan checkov tells skips apart by type and name alone.
resource "aws_s3_bucket" "expiring" {
  #checkov:skip=CKV_AWS_19:Encrypted below; a plan does not know the ARN of a key yet to be made.
  #checkov:skip=CKV_AWS_18:What lies here is gone soon, and names tenants; nobody but one role and operators reads it.
  #checkov:skip=CKV_AWS_21:Nothing here is replaced, and a version that outlives its deletion is what expiry is there to prevent.
  #checkov:skip=CKV_AWS_144:A copy in another region would not expire together with the original.
  #checkov:skip=CKV_AWS_145:The customer managed key is the caller's choice (kms_key_arn); AES256 costs nothing.
  #checkov:skip=CKV2_AWS_62:Nothing has to react to an object.
  bucket        = var.name
  force_destroy = var.force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_ownership_controls" "main" {
  bucket = aws_s3_bucket.expiring.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "main" {
  bucket                  = aws_s3_bucket.expiring.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "main" {
  bucket = aws_s3_bucket.expiring.id

  rule {
    bucket_key_enabled = var.kms_key_arn == null ? null : true

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "main" {
  bucket = aws_s3_bucket.expiring.id

  rule {
    id     = "expiry"
    status = "Enabled"
    filter {}

    expiration {
      days = var.expire_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

data "aws_iam_policy_document" "main" {
  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["s3:*"] # a deny has to cover every action
    resources = [aws_s3_bucket.expiring.arn, "${aws_s3_bucket.expiring.arn}/*"]

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
}

resource "aws_s3_bucket_policy" "main" {
  bucket = aws_s3_bucket.expiring.id
  policy = data.aws_iam_policy_document.main.json

  depends_on = [aws_s3_bucket_public_access_block.main] # S3 refuses two changes of a bucket's access at once
}
