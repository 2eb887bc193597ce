terraform {
  backend "s3" {
    key          = "agent-memory/staging.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
