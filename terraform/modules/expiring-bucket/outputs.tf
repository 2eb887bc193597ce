# Nothing may be written before the bucket is private, encrypted and forgetful.

output "bucket_name" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.expiring.id
  depends_on = [
    aws_s3_bucket_lifecycle_configuration.main,
    aws_s3_bucket_ownership_controls.main,
    aws_s3_bucket_policy.main,
    aws_s3_bucket_public_access_block.main,
    aws_s3_bucket_server_side_encryption_configuration.main,
  ]
}

output "bucket_arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.expiring.arn
  depends_on = [
    aws_s3_bucket_lifecycle_configuration.main,
    aws_s3_bucket_ownership_controls.main,
    aws_s3_bucket_policy.main,
    aws_s3_bucket_public_access_block.main,
    aws_s3_bucket_server_side_encryption_configuration.main,
  ]
}
