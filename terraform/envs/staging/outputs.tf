output "api_url" {
  description = "URL of the API; routes begin with /v1."
  value       = module.agent_memory.api_url
}

output "deployment" {
  description = "Everything that the deployment tells about itself; nothing of it is secret."
  value       = module.agent_memory
}
