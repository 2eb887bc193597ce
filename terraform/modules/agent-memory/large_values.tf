# Objects of the archive bucket as requests need them: values too large for their records, and what clients upload to become such a
# value. They are written, and taken back where the write of the record is refused, by whoever writes records; what is replaced or
# deleted later is for the archiver to remove.
locals {
  _bucket = { ARCHIVE_BUCKET = module.archive.bucket_name }

  _bodies = {
    actions   = ["s3:DeleteObjectVersion", "s3:PutObject"]
    resources = [module.archive.bucket_arn]
    within    = "*/bodies/"
  }

  # An action that two statements give can be taken from neither: who reads all of a tenant's objects has this from _archived.
  _states_bodies = merge(local._bodies, { actions = concat(local._bodies.actions, ["s3:GetObject"]) })

  # Links are good for what their signer may do, and this one only signs.
  _links_to_bodies = merge(local._bodies, { actions = ["s3:GetObject"] })

  _uploads = {
    actions   = ["s3:GetObject"]
    resources = ["${module.archive.bucket_arn}/!uploads"]
  }

  # Links are good for what their signer may do.
  _signed_uploads = merge(local._uploads, { actions = concat(local._uploads.actions, ["s3:PutObject"]) })

  # Large values of episodes, and the cold tier.
  _archived = {
    actions   = ["s3:GetObject"]
    resources = [module.archive.bucket_arn]
  }
}
