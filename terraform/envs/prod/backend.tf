terraform {
  backend "s3" {
    key          = "agent-memory/prod.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
