resource "aws_s3_bucket_lifecycle_configuration" "main" {
  bucket = aws_s3_bucket.main.id

  # A smaller object would be billed as 128 KB in a cheaper class, and for the move.
  transition_default_minimum_object_size = "all_storage_classes_128K"

  rule {
    id     = "age"
    status = "Enabled"
    filter {}

    dynamic "transition" {
      for_each = var.transitions
      content {
        storage_class = transition.key
        days          = transition.value
      }
    }

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }

    expiration { # of a delete marker that no version is left behind
      expired_object_delete_marker = true
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  # What clients upload lies there until a record takes a copy of it. The place says that it is pending, and not a tag: a copy is
  # never in it, so nothing that is somebody's can be taken for pending (docs/adr/0014-large-bodies.md).
  rule {
    id     = "uploads"
    status = "Enabled"
    filter {
      prefix = "!uploads/"
    }

    expiration {
      days = 1
    }

    noncurrent_version_expiration {
      noncurrent_days = 1
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.main] # noncurrent versions need it
}
