# `make up` adds the artifact and the port of PostgreSQL.
# The whole deployment on the stand-in of `make up`. What is switched off or left to AWS here, the stand-in stores but reports
# wrongly, so that every plan would show a change.
region              = "us-east-1"
name                = "memory-local"
connection          = "data_api" # the PostgreSQL there has no TLS, and without it no IAM authentication
deletion_protection = false

database = {
  min_acu           = 0
  max_acu           = 1
  log_exports       = false
  endpoint_override = "127.0.0.1"
  final_snapshot    = false
}

# A real model on the cores of one machine takes a minute for a mebibyte of text, and no HTTP API stops waiting here.
embedding = { timeout_s = 180 }

# The stand-in's, which knows no language.
summarizer = { model_id = "local.summarizer-v1:0" }

network  = { flow_logs = false }
archive  = { force_destroy = true }
episodes = { batch_window_s = 1 }
alarms   = { dashboard = true }

analytics = {} # the stand-in keeps the table but cannot ask it; `make analyze` can

tags = { project = "agent-memory", environment = "local" }
