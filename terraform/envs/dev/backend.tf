terraform {
  backend "s3" {
    key          = "agent-memory/dev.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
