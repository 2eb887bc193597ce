module "agent_memory" {
  #checkov:skip=CKV2_AGENTMEM_04:dev is thrown away and made anew (deletion_protection = false).
  source = "../../modules/agent-memory"

  name                = var.name
  artifact            = var.artifact
  alarms              = var.alarms
  analytics           = var.analytics
  api                 = var.api
  archive             = var.archive
  connection          = var.connection
  context             = var.context
  database            = var.database
  deletion_protection = var.deletion_protection
  embedding           = var.embedding
  encryption          = var.encryption
  episodes            = var.episodes
  functions           = var.functions
  jobs                = var.jobs
  limits              = var.limits
  log_retention_days  = var.log_retention_days
  network             = var.network
  search              = var.search
  summarizer          = var.summarizer
  tables              = var.tables
  tenant_sessions     = var.tenant_sessions
  vector_index        = var.vector_index
}
