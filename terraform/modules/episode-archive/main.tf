resource "aws_s3_bucket" "main" {
  #checkov:skip=CKV_AWS_19:Encrypted below; a plan does not know the ARN of a key yet to be made.
  #checkov:skip=CKV_AWS_18:Access logs are the caller's choice (access_log), as keys in them name tenants and agents.
  #checkov:skip=CKV_AWS_144:A copy in another region is not erased together with the original.
  #checkov:skip=CKV_AWS_145:The customer managed key is the caller's choice (kms_key_arn); AES256 costs nothing.
  #checkov:skip=CKV2_AWS_62:Nothing has to react to an object; an index row beside it says that it is complete.
  bucket        = var.name
  force_destroy = var.force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_ownership_controls" "main" {
  bucket = aws_s3_bucket.main.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "main" {
  bucket                  = aws_s3_bucket.main.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "main" {
  bucket = aws_s3_bucket.main.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "main" {
  bucket = aws_s3_bucket.main.id

  rule {
    bucket_key_enabled = var.kms_key_arn == null ? null : true

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_logging" "main" {
  count = var.access_log == null ? 0 : 1

  bucket        = aws_s3_bucket.main.id
  target_bucket = var.access_log.bucket
  target_prefix = var.access_log.prefix
}
